/** The options of a client and of a WampRouter: defaults, the fields of HELLO, and errors for wrong usage. */

import { describe, expect, test, vi } from 'vitest'
import {
  type ClientOptions,
  DEFAULT_REALM,
  DEFAULT_ROLES,
  DEFAULT_URL,
  INVALID_URI,
  RpcClient,
  rpc,
  subscribe,
  USAGE,
  WampClient,
  WampError,
  WampRouter,
  type WampRouterOptions,
} from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { CALL, HELLO, openWorld, SUBSCRIBE } from 'wampy-ts/testing'
import { version } from '../../package.json' with { type: 'json' }
import { clientOf, failure, joined, leavesNothing, uri, welcoming } from './support.ts'

leavesNothing()

const thrown = (make: () => unknown): WampError => {
  try {
    make()
  } catch (error) {
    return error as WampError
  }
  throw new Error('expected it to throw')
}

describe('the address of a router', () => {
  const addresses: [options: WampRouterOptions, url: string][] = [
    [{}, 'ws://localhost:8080/ws'],
    [{ name: 'Crossbar', host: 'localhost', port: '8080', realm: DEFAULT_REALM }, 'ws://localhost:8080/ws'],
    [{ host: 'example.com' }, 'ws://example.com:8080/ws'],
    [{ port: 9000 }, 'ws://localhost:9000/ws'],
    [{ port: '443', tls: true, host: 'example.com', path: '/wamp' }, 'wss://example.com:443/wamp'],
    [{ path: 'wamp' }, 'ws://localhost:8080/wamp'],
    [{ path: '/' }, 'ws://localhost:8080/'],
    [{ path: '/ws?token=1' }, 'ws://localhost:8080/ws?token=1'],
    [{ host: '::1' }, 'ws://[::1]:8080/ws'],
    [{ host: '[::1]' }, 'ws://[::1]:8080/ws'],
    [{ host: '127.0.0.1', tls: false }, 'ws://127.0.0.1:8080/ws'],
    [{ url: 'wss://example.com/ws' }, 'wss://example.com/ws'],
    [{ url: 'ws://example.com' }, 'ws://example.com'],
    [{ url: 'WS://EXAMPLE.com:80' }, 'WS://EXAMPLE.com:80'],
  ]
  for (const [options, url] of addresses) {
    test(`${JSON.stringify(options)} is ${url}`, () => {
      expect(new WampRouter(options).url).toBe(url)
    })
  }

  test('DEFAULT_URL is the URL of a WampRouter without options', () => {
    expect(new WampRouter().url).toBe(DEFAULT_URL)
  })

  test('a router is named by its name, otherwise by its address', () => {
    expect(new WampRouter({ name: 'Crossbar' }).name).toBe('Crossbar')
    expect(new WampRouter().name).toBe(DEFAULT_URL)
  })

  const wrong: [options: WampRouterOptions, text: RegExp][] = [
    [{ port: 0 }, /port must be a number from 1 to 65535, got "0"/],
    [{ port: 65536 }, /port must be/],
    [{ port: -1 }, /port must be/],
    [{ port: 80.5 }, /port must be/],
    [{ port: 'http' }, /port must be a number from 1 to 65535, got "http"/],
    [{ port: '' }, /port must be/],
    [{ port: Number.NaN }, /port must be/],
    [{ host: '' }, /is not an address of a router/],
    [{ host: 'two words' }, /"two words" is not an address/],
    [{ host: 'ws://localhost' }, /"ws:\/\/localhost" is not an address/],
    [{ host: 'localhost:8080' }, /"localhost:8080" is not an address/],
    [{ host: 'localhost/ws' }, /"localhost\/ws" is not an address/],
    [{ host: 'user@localhost' }, /is not an address/],
    [{ url: '' }, /"" is not an address of a router, such as ws:\/\/localhost:8080\/ws/],
    [{ url: 'localhost:8080' }, /is not an address/],
    [{ url: 'http://' }, /is not an address/],
    [{ url: 'ftp://localhost:8080/ws' }, /is not an address/],
    [{ url: 'ws' }, /"ws" is not an address/],
    [{ url: 'ws://' }, /is not an address/],
    [{ url: 'ws://localhost:99999' }, /is not an address/],
    [{ url: DEFAULT_URL, host: 'localhost' }, /url, or host, port, path and tls/],
    [{ url: DEFAULT_URL, port: 80 }, /takes url, or/],
    [{ url: DEFAULT_URL, path: '/' }, /takes url, or/],
    [{ url: DEFAULT_URL, tls: true }, /takes url, or/],
  ]
  for (const [options, text] of wrong) {
    test(`${JSON.stringify(options)} is refused`, () => {
      expect(thrown(() => new WampRouter(options))).toMatchObject({ uri: USAGE, message: expect.stringMatching(text) })
    })
  }
})

describe('the options of a client', () => {
  test('a router may be a WampRouter, its URL, or a Router of this process', async () => {
    for (const router of [new WampRouter(), DEFAULT_URL, new Router()]) {
      expect(new WampClient({ router })).toBeInstanceOf(WampClient)
    }
    expect(new WampClient()).toBeInstanceOf(WampClient)
  })

  const wrong: [name: string, options: ClientOptions, uri: string, text: RegExp][] = [
    ['a router that is none', { router: {} as never }, USAGE, /router must be a WampRouter, a URL, or a Router/],
    ['a router of null', { router: null as never }, USAGE, /router must be/],
    ['an address that is none', { router: 'localhost' }, USAGE, /"localhost" is not an address/],
    ['a realm with a blank', { realm: 'my realm' }, INVALID_URI, /"my realm" is not a valid realm/],
    ['an empty realm', { realm: '' }, INVALID_URI, /"" is not a valid realm/],
    ['a realm that is not a text', { realm: 42 as never }, USAGE, /^WampClient: realm must be text, got 42$/],
    ['an unknown role', { roles: ['dealer' as never] }, USAGE, /not "dealer"/],
    ['an unknown role in a dictionary', { roles: { broker: {} } as never }, USAGE, /not "broker"/],
    ['no role', { roles: [] }, USAGE, /at least one role/],
    ['no role in a dictionary', { roles: {} }, USAGE, /at least one role/],
    [
      'no serializer',
      { serializers: [] },
      USAGE,
      /serializers must be a list of serializers, such as \[json\], got an empty list/,
    ],
    [
      'a URL',
      'ws://ann:secret@here/ws' as never,
      USAGE,
      /^WampClient takes options, such as \{ router: 'ws:.*' \}, got text$/,
    ],
    [
      'the url of other libraries',
      { url: DEFAULT_URL } as never,
      USAGE,
      /^WampClient has no option "url": write router: 'ws:/,
    ],
    ['a typo', { reconect: false } as never, USAGE, /^WampClient has no option "reconect": did you mean reconnect\?$/],
    [
      'an option of an RpcClient',
      { service: WampClient } as never,
      USAGE,
      /^WampClient has no option "service", but name, /,
    ],
    [
      'null for reconnect',
      { reconnect: null as never },
      USAGE,
      /reconnect must be true, false, a function or options .* got null/,
    ],
    ['a number for reconnect', { reconnect: 5 as never }, USAGE, /reconnect must be .* got 5/],
    [
      'a delay below 0',
      { reconnect: { initial: -1 } },
      USAGE,
      /^reconnect.initial must be milliseconds: 0, or a number from 1, got -1/,
    ],
    ['a delay of NaN', { reconnect: { max: Number.NaN } }, USAGE, /^reconnect.max must be milliseconds.* got NaN/],
    ['a shrinking delay', { reconnect: { factor: 0.5 } }, USAGE, /^reconnect.factor must be a number from 1, got 0.5/],
    [
      'another delay',
      { reconnect: { delay: 5 } as never },
      USAGE,
      /^reconnect has no option "delay", but initial, max, factor/,
    ],
    ['true for liveness', { liveness: true as never }, USAGE, /liveness must be false or options such as .* got true/],
    ['a silence of NaN', { liveness: { idle: Number.NaN } }, USAGE, /^liveness.idle must be milliseconds/],
    ['a connectTimeout below 0', { connectTimeout: -1 }, USAGE, /connectTimeout must be milliseconds/],
    ['a name that is not a text', { name: 5 as never }, USAGE, /name must be text, got 5/],
    ['codecs that are none', { codecs: {} as never }, USAGE, /codecs must be a function, got a dictionary/],
    ['an onError that is none', { onError: true as never }, USAGE, /onError must be a function, got true/],
    [
      'a text for roles',
      { roles: 'caller' as never },
      USAGE,
      /roles must be a list of roles or a dictionary of them, got "caller"/,
    ],
  ]
  for (const [name, options, code, text] of wrong) {
    test(`${name} is refused at construction`, () => {
      expect(thrown(() => new WampClient(options))).toMatchObject({ uri: code, message: expect.stringMatching(text) })
    })
  }

  test('the realm is that of the client, otherwise that of its router, otherwise realm1', async () => {
    const router = welcoming()
    for (const [options, realm] of [
      [{}, 'realm1'],
      [{ router: { ...router, realm: 'of.router' } }, 'of.router'],
      [{ router: { ...router, realm: 'of.router' }, realm: 'of.client' }, 'of.client'],
    ] as const) {
      const client = clientOf(router, options)
      await client.start()
      expect(router.peers.at(-1)?.received[0]?.[1]).toBe(realm)
      await client.stop()
    }
    expect(new WampRouter({ realm: 'of.router' }).realm).toBe('of.router')
  })

  test('HELLO carries the agent and the identity of the client', async () => {
    const { peer } = await joined(undefined, { name: 'Date Service' })
    expect(peer.received[0]).toEqual([
      HELLO,
      'realm1',
      {
        agent: `wampy-ts/${version} (Date Service)`,
        roles: {
          caller: {
            features: {
              call_canceling: true,
              call_timeout: true,
              caller_identification: true,
              progressive_call_invocations: true,
              progressive_call_results: true,
            },
          },
          callee: {
            features: {
              call_canceling: true,
              call_reroute: true,
              call_timeout: true,
              call_trustlevels: true,
              caller_identification: true,
              pattern_based_registration: true,
              progressive_call_invocations: true,
              progressive_call_results: true,
              registration_revocation: true,
              shared_registration: true,
            },
          },
          publisher: {
            features: {
              publisher_exclusion: true,
              publisher_identification: true,
              subscriber_blackwhite_listing: true,
            },
          },
          subscriber: {
            features: {
              pattern_based_subscription: true,
              publication_trustlevels: true,
              publisher_identification: true,
              subscription_revocation: true,
            },
          },
        },
      },
    ])
    const unnamed = await joined()
    expect(unnamed.peer.received[0]?.[2]).toMatchObject({ agent: `wampy-ts/${version}` })
  })

  test('the default name is that of the class', () => {
    class DateService extends WampClient {}
    expect(new DateService().name).toBe('DateService')
    expect(new DateService({ name: 'dates' }).name).toBe('dates')
    expect(new RpcClient().name).toBe('RpcClient')
  })
})

test('an error about an unknown option advises subclasses to remove their own options', () => {
  class DateService extends WampClient {}
  class Caller extends RpcClient {}
  for (const [make, name] of [
    [() => new DateService({ colour: 'red' } as never), 'DateService'],
    [() => new Caller({ colour: 'red' } as never), 'Caller'],
  ] as const) {
    expect(thrown(make)).toMatchObject({
      uri: USAGE,
      message: expect.stringMatching(
        new RegExp(
          `^${name} has no option "colour", but name, .* \\(a subclass takes its own options out before super\\(\\)\\)$`,
        ),
      ),
    })
  }
})

test('undefined counts as absent, 0 means never, and a duration may be arbitrarily long', async () => {
  const given = { colour: undefined, router: welcoming(), serializers: undefined, roles: undefined, realm: undefined }
  for (const duration of [0, 1e300, Number.POSITIVE_INFINITY]) {
    const client = new WampClient({
      ...given,
      connectTimeout: duration,
      liveness: { idle: duration, answer: duration },
      reconnect: { initial: duration, max: duration },
    } as never)
    await client.start({ timeout: duration })
    await client.stop()
  }
})

test('a delay of 0 grows with each attempt, so that a client is never busy', async () => {
  const delays: number[] = []
  for (const reconnect of [{ initial: 0, max: 0 }, () => 0]) {
    const client = clientOf({ name: 'nowhere', connect: () => Promise.reject(new Error('down')) }, { reconnect })
    client.on('retry', ({ attempt, delay }) => {
      delays.push(delay)
      if (attempt === 5) void client.stop()
    })
    await failure(client.start())
  }
  expect(delays).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
})

describe('roles', () => {
  test('DEFAULT_ROLES is the dictionary of HELLO with all four', () => {
    expect(Object.keys(DEFAULT_ROLES).sort()).toEqual(['callee', 'caller', 'publisher', 'subscriber'])
    for (const role of Object.values(DEFAULT_ROLES)) expect(role).toEqual({ features: expect.any(Object) })
  })

  test('a list and a dictionary select alike; the features come from the code', async () => {
    for (const roles of [['caller', 'subscriber'], { caller: { features: { lies: true } }, subscriber: {} }] as const) {
      const { client, peer } = await joined(undefined, { roles: roles as never })
      const hello = peer.received[0]?.[2] as { roles: object }
      const { caller, subscriber } = DEFAULT_ROLES
      expect(hello.roles).toEqual({ caller, subscriber })
      await client.stop()
    }
    const { peer } = await joined(undefined, { roles: DEFAULT_ROLES })
    expect(peer.received[0]?.[2]).toMatchObject({ roles: DEFAULT_ROLES })
  })

  test('an operation of an unselected role is an error that names the role, and sends nothing', async () => {
    const { client, peer } = await joined(undefined, { roles: ['caller'], name: 'Joe' })
    const subscriber = await joined(undefined, { roles: ['subscriber'], name: 'Joe' })
    for (const [role, operation] of [
      ['callee', () => client.register('a.b', () => {})],
      ['publisher', () => client.publish('a.b')],
      ['subscriber', () => client.subscribe('a.b', () => {})],
      ['caller', () => subscriber.client.call('a.b')],
      ['caller', () => subscriber.client.callRaw('a.b')],
    ] as const) {
      const text = `Joe does not play the role ${role}: see its option "roles"`
      expect(await failure(operation())).toMatchObject({ uri: USAGE, message: text })
    }
    await client.stop()
    expect(peer.received).toHaveLength(2)
  })

  test('@rpc without the role callee, and @subscribe without subscriber, fail at start', async () => {
    class Provider extends WampClient {
      @rpc date(): void {}
    }
    class Listener extends WampClient {
      @subscribe tick(): void {}
    }
    const router = welcoming()
    for (const service of [
      new Provider({ router, roles: ['caller'] }),
      new Listener({ router, roles: ['caller', 'callee'] }),
    ]) {
      expect(await failure(service.start())).toMatchObject({ uri: USAGE, message: expect.stringMatching(/role/) })
      expect(service.state).toBe('stopped')
    }
    expect(router.peers).toEqual([])
  })
})

describe('arguments', () => {
  const uris = ['', ' ', 'a b', 'a..b', '.a', 'a.', 'a#b', 'a.\tb', 'a.b\n', undefined, null, 42, {}, ['a']]

  test('an invalid URI is refused before anything is sent, and the error names it', async () => {
    const { client, peer } = await joined()
    for (const wrong of uris as string[]) {
      for (const operation of [
        () => client.call(wrong),
        () => client.callRaw(wrong),
        () => client.publish(wrong),
        () => client.subscribe(wrong, () => {}),
        () => client.register(wrong, () => {}),
      ]) {
        expect(await failure(operation())).toMatchObject({
          uri: INVALID_URI,
          sent: false,
          message: expect.stringMatching(/is not a valid URI: it has white space, "#" or an empty component/),
        })
      }
    }
    expect(await failure(client.call('my procedure'))).toMatchObject({
      message: expect.stringMatching(/^"my procedure" is not a valid URI/),
    })
    expect([client.subscriptions, client.registrations]).toEqual([[], []])
    await client.stop()
    expect(peer.received).toHaveLength(2)
  })

  test('a pattern may have empty components if its match policy allows them', async () => {
    const { client, peer } = await joined(([code, request], to) => to.send([(code as number) + 1, request, 5]))
    await client.subscribe('com..x', () => {}, { match: 'wildcard' })
    await client.subscribe('', () => {}, { match: 'prefix' })
    await client.subscribe('com.', () => {}, { match: 'prefix' })
    expect(peer.received).toHaveLength(4)
    expect(await failure(client.subscribe('com..x', () => {}, { match: 'prefix' }))).toEqual(uri(INVALID_URI))
    expect(await failure(client.subscribe('com..x', () => {}, { match: 'exact' }))).toEqual(uri(INVALID_URI))
  })

  test('args that are not a list and kwargs that are not a dictionary are refused', async () => {
    const { client, peer } = await joined()
    for (const args of ['text', 5, {}, null, new Set([1]), new Uint8Array(2)]) {
      for (const operation of [() => client.call('a.b', args as never), () => client.publish('a.b', args as never)]) {
        expect(await failure(operation())).toMatchObject({
          uri: USAGE,
          sent: false,
          message: expect.stringMatching(/args must be a list/),
        })
      }
    }
    for (const kwargs of ['text', 5, [], null, new Uint8Array(2)]) {
      for (const operation of [
        () => client.call('a.b', [], kwargs as never),
        () => client.publish('a.b', [], kwargs as never),
      ]) {
        expect(await failure(operation())).toMatchObject({
          uri: USAGE,
          message: expect.stringMatching(/kwargs must be a dictionary/),
        })
      }
    }
    await client.stop()
    expect(peer.received).toHaveLength(2)
  })

  test('a handler or an endpoint that is not a function is refused', async () => {
    const { client } = await joined()
    expect(await failure(client.subscribe('a.b', 'handler' as never))).toMatchObject({
      uri: USAGE,
      message: 'the handler must be a function, got "handler"',
    })
    expect(await failure(client.register('a.b', undefined as never))).toMatchObject({
      uri: USAGE,
      message: 'the endpoint must be a function, got undefined',
    })
  })

  test('misuse always rejects the promise, and never throws synchronously', () => {
    const client = new WampClient({ roles: ['caller'] })
    for (const operation of [
      () => client.call(5 as never),
      () => client.publish(5 as unknown as string),
      () => client.subscribe(5 as never, () => {}),
      () => client.register(5 as never, () => {}),
      () => client.start({ signal: AbortSignal.abort() }),
    ]) {
      const promise = operation()
      expect(promise).toBeInstanceOf(Promise)
      promise.catch(() => {})
    }
  })
})

test('a URI with capitals and hyphens is legal, as in the original', async () => {
  await using world = await openWorld()
  const [alice] = await world.join('alice')
  await alice.register('getTodaysDate', () => 'today')
  await alice.register('com.my-app.Größe', () => 1)
  expect(await alice.call('getTodaysDate')).toBe('today')
  expect(await alice.call('com.my-app.Größe')).toBe(1)
})

test('an error can be recognized by its URI, and by its class across copies of the library', async () => {
  vi.resetModules()
  const other = (await import('wampy-ts')) as { WampError: typeof WampError }
  expect(other.WampError).not.toBe(WampError)
  const error = new other.WampError('a.b')
  expect(error).not.toBeInstanceOf(WampError)
  expect(WampError.is(error)).toBe(true)
  for (const no of [null, undefined, 'a.b', {}, new Error('a.b'), { uri: 'a.b' }]) expect(WampError.is(no)).toBe(false)
})

test('options that this library does not know are sent unchanged and do not fail', async () => {
  await using world = await openWorld()
  const [alice, bob] = await world.join('alice', 'bob')
  const draft = { rkey: 'k', runmode: 'partition', _mine: [1, { two: 2 }] }
  const events: unknown[] = []
  await alice.subscribe('com.example.topic', (args, _, details) => events.push([args, details['rkey']]), { nkey: 'k' })
  await alice.register('com.example.add', ([one, two]) => (one as number) + (two as number))
  expect(await bob.call('com.example.add', [1, 2], {}, draft)).toBe(3)
  await bob.publish('com.example.topic', ['news'], {}, { rkey: 'k', acknowledge: true })
  await alice.call('wamp.session.count')
  expect(events).toEqual([[['news'], undefined]])
  expect(world.log.sent('alice')).toContainEqual([SUBSCRIBE, 1, { nkey: 'k' }, 'com.example.topic'])
  expect(world.log.sent('bob').find(([code]) => code === CALL)?.[2]).toEqual(draft)
})
