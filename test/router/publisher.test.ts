/** The details about its publisher in an event: identity, trust level, and the encoding of the payload. */

import { describe, expect, test } from 'vitest'
import { ERROR, EVENT, PUBLISH, PUBLISHED } from 'wampy-ts/testing'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { ID, open, type Peer, ROLES, subscribe, TEXT, violates, type World } from './support.ts'

function pair(options: RouterOptions = {}): { publisher: Peer; subscriber: Peer } & World {
  const world = open(options)
  const [publisher, subscriber] = [world.join(), world.join()]
  subscribe(subscriber, 'com.topic')
  return { ...world, publisher, subscriber }
}

const who = ({ id, authid }: Peer): object => ({
  publisher: id,
  publisher_authid: authid,
  publisher_authrole: 'anonymous',
})
const refused = [ERROR, PUBLISH, 1, {}, 'wamp.error.option_disallowed.disclose_me', [TEXT]]

describe('disclose_me', () => {
  test('discloses the publisher to the subscribers', () => {
    const { publisher, subscriber } = pair()
    publisher.says([PUBLISH, 1, { disclose_me: true }, 'com.topic', [1]])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, who(publisher), [1]]])
  })

  test.each([{}, { disclose_me: false }])('%j discloses nothing', (options) => {
    const { publisher, subscriber } = pair()
    publisher.says([PUBLISH, 1, options, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, {}]])
  })

  test('can be forced by the router', () => {
    const { publisher, subscriber } = pair({ disclose: 'always' })
    publisher.says([PUBLISH, 1, { disclose_me: false }, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, who(publisher)]])
  })

  test('can be refused by the router, with an answer if acknowledgement was requested', () => {
    const { publisher, subscriber, router } = pair({ disclose: 'never' })
    expect(publisher.says([PUBLISH, 1, { disclose_me: true, acknowledge: true }, 'com.topic'])).toEqual([refused])
    expect(publisher.says([PUBLISH, 2, { disclose_me: true }, 'com.topic'])).toEqual([])
    expect(router.stats().dropped.publications).toBe(1)
    expect(subscriber.take()).toEqual([])
    publisher.says([PUBLISH, 3, {}, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, {}]])
  })

  test('can be decided for each publication by a function', () => {
    const asked: unknown[] = []
    const { publisher, subscriber } = pair({
      disclose: (action, uri, actor) => {
        asked.push([action, uri, actor])
        return uri === 'com.topic' ? 'always' : 'never'
      },
    })
    subscribe(subscriber, 'com.secret')
    publisher.says([PUBLISH, 1, {}, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, who(publisher)]])
    expect(asked).toEqual([
      [
        'publish',
        'com.topic',
        {
          session: publisher.id,
          authid: publisher.authid,
          authrole: 'anonymous',
          authmethod: 'anonymous',
          authprovider: 'static',
        },
      ],
    ])
    expect(publisher.says([PUBLISH, 1, { disclose_me: true, acknowledge: true }, 'com.secret'])).toEqual([refused])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('out of order')
      },
    ],
    ['returns nonsense', () => 'perhaps' as never],
  ])('if the function %s, the publisher is not disclosed', (_, disclose) => {
    const { publisher, subscriber } = pair({ disclose })
    publisher.says([PUBLISH, 1, {}, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, {}]])
    expect(publisher.says([PUBLISH, 1, { disclose_me: true, acknowledge: true }, 'com.topic'])).toEqual([refused])
  })
})

describe('trust levels', () => {
  test('are sent if the router has a trustlevel function', () => {
    const { publisher, subscriber } = pair({ trustlevel: (action, uri) => (action === 'publish' ? uri.length : 0) })
    publisher.says([PUBLISH, 1, {}, 'com.topic'], [PUBLISH, 2, { disclose_me: true }, 'com.topic'])
    expect(subscriber.take()).toEqual([
      [EVENT, ID, ID, { trustlevel: 9 }],
      [EVENT, ID, ID, { trustlevel: 9, ...who(publisher) }],
    ])
  })

  test('0 is a valid level', () => {
    const { publisher, subscriber } = pair({ trustlevel: () => 0 })
    publisher.says([PUBLISH, 1, {}, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, { trustlevel: 0 }]])
  })

  test.each<[string, () => number | undefined]>([
    ['undefined', () => undefined],
    ['-1', () => -1],
    ['1.5', () => 1.5],
    ['NaN', () => Number.NaN],
    [
      'an error',
      () => {
        throw new Error('out of order')
      },
    ],
  ])('%s is not a valid level and is not sent', (_, trustlevel) => {
    const { publisher, subscriber } = pair({ trustlevel })
    publisher.says([PUBLISH, 1, {}, 'com.topic'])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, {}]])
  })
})

describe('payload passthru mode', () => {
  const PPT = { ppt_scheme: 'x_custom', ppt_serializer: 'cbor', ppt_cipher: 'aes256gcm', ppt_keyid: 'k1' }
  const announcing = { roles: { ...ROLES, publisher: { features: { payload_passthru_mode: true } } } }
  const bytes = '\u0000AAEC/w=='

  test('passes its keys and its bytes on', () => {
    const { join, subscriber } = pair()
    const publisher = join({}, announcing)
    publisher.says([PUBLISH, 1, PPT, 'com.topic', [bytes]])
    publisher.says([PUBLISH, 2, { ppt_scheme: 'mqtt' }, 'com.topic', [bytes]])
    publisher.says([PUBLISH, 3, { ...PPT, disclose_me: true }, 'com.topic', [bytes]])
    expect(subscriber.take()).toEqual([
      [EVENT, ID, ID, PPT, [bytes]],
      [EVENT, ID, ID, { ppt_scheme: 'mqtt' }, [bytes]],
      [EVENT, ID, ID, { ...PPT, ...who(publisher) }, [bytes]],
    ])
  })

  test('sends the same bytes to a subscriber with another serializer', () => {
    const { join } = pair()
    const [publisher, subscriber] = [join({}, announcing), join({ serializer: cbor })]
    subscribe(subscriber, 'com.topic')
    publisher.says([PUBLISH, 1, PPT, 'com.topic', [bytes]])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, PPT, [new Uint8Array([0, 1, 2, 255])]]])
  })

  test('is a violation by a publisher that did not announce it, and sends no event', () => {
    const { publisher, subscriber } = pair()
    expect(publisher.says([PUBLISH, 1, PPT, 'com.topic', [bytes]])).toEqual(violates(/payload_passthru_mode/))
    expect(subscriber.take()).toEqual([])
  })

  test('keys without a scheme are ignored', () => {
    const { publisher, subscriber } = pair()
    expect(publisher.says([PUBLISH, 1, { ppt_cipher: 'x', acknowledge: true }, 'com.topic'])).toEqual([
      [PUBLISHED, 1, ID],
    ])
    expect(subscriber.take()).toEqual([[EVENT, ID, ID, {}]])
  })
})

test.each<[object, RegExp]>([
  [{ disclose: 'sometimes' }, /disclose must be asked, always, never or a function, got "sometimes"/],
  [{ disclose: true }, /disclose must be/],
  [{ trustlevel: 3 }, /trustlevel must be a function, got 3/],
])('a router with %j is refused', (options, text) => {
  expect(() => new Router(options as RouterOptions)).toThrow(text)
})
