/** Methods of a service that would replace a member of the client. */

import { expect, test } from 'vitest'
import { rpc, subscribe, USAGE, WampClient } from 'wampy-ts'
import { leavesNothing, welcoming } from './support.ts'

leavesNothing()

test.each<[string, () => new () => WampClient]>([
  [
    'start',
    () =>
      class Odd extends WampClient {
        @rpc override start(): Promise<void> {
          return super.start()
        }
      },
  ],
  [
    'publish',
    () =>
      class Odd extends WampClient {
        static rpc = ['publish']
      },
  ],
  [
    'emit',
    () =>
      class Odd extends WampClient {
        static rpc = { emit: 'com.example.emit' }
      },
  ],
  [
    'session',
    () =>
      class Odd extends WampClient {
        static rpc = ['session']
      },
  ],
  [
    'name',
    () =>
      class Odd extends WampClient {
        static rpc = ['name']
      },
  ],
  [
    'on',
    () =>
      class Odd extends WampClient {
        static subscribe = { on: 'com.example.topic' }
      },
  ],
  [
    'service',
    () =>
      class Odd extends WampClient {
        // @ts-expect-error: the compiler rejects it too
        @rpc service(): void {}
      } as unknown as typeof WampClient,
  ],
  [
    'interceptors',
    () =>
      class Odd extends WampClient {
        @rpc interceptors(): void {}
      },
  ],
  [
    'auth',
    () =>
      class Odd extends WampClient {
        // @ts-expect-error: the compiler rejects it too
        @subscribe auth(): void {}
      } as unknown as typeof WampClient,
  ],
  [
    'logout',
    () =>
      class Odd extends WampClient {
        // @ts-expect-error: the compiler rejects it too
        @rpc('com.example.logout') logout(): void {}
      } as unknown as typeof WampClient,
  ],
])('%s is rejected at construction', (name, made) => {
  const Odd = made()
  expect(() => new Odd()).toThrow(
    expect.objectContaining({
      uri: USAGE,
      message: expect.stringMatching(`declares (rpc|subscribe) "${name}", `),
    }),
  )
})

test('any URI may be such a name: another method can serve it', async () => {
  class Shop extends WampClient {
    static prefix = 'com.example'
    @rpc('com.example.start') begin(): void {}
  }
  expect(new Shop({ router: welcoming() })).toBeInstanceOf(Shop)
})
