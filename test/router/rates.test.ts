/** Rates by role: a session beyond its rate is not read for a while, loses nothing, and delays nobody else. */

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { batching, longPollDial, WampClient, WampRouter, webSocketDial } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { ticketAuth } from 'wampy-ts/auth/router'
import { rawSocketDial, serve } from 'wampy-ts/node'
import { type RoleRate, Router, type RouterOptions } from 'wampy-ts/router'
import { CALL, GOODBYE, HELLO, PUBLISH, PUBLISHED, RESULT } from 'wampy-ts/testing'
import { json } from '../../src/serializer/json.ts'
import { framed } from '../../src/session/framed.ts'
import { Peer, ROLES } from './support.ts'

/** A peer whose router can stop reading; what it says nevertheless was read before. */
class Pausable extends Peer {
  paused = false

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }
}

const principals = { guest: { ticket: 'a', role: 'guest' }, member: { ticket: 'a', role: 'member' } }

describe('in fake time', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function joined(options: RouterOptions, details: object = {}, realm = 'realm1') {
    const router = new Router({ controlOthers: true, ...options })
    const peer = new Pausable()
    router.attach(framed(peer, json))
    const [welcome] = peer.says([HELLO, realm, { roles: ROLES, ...details }])
    peer.id = welcome?.[1] as number
    return { router, peer }
  }

  /** So many calls in one chunk; returns the number of answers. */
  const calls = (peer: Peer, count: number, first = 1): number =>
    peer
      .says(...Array.from({ length: count }, (_, n) => [CALL, first + n, {}, 'wamp.session.count']))
      .filter(([code]) => code === RESULT).length

  test('messages: the rate may come at once, and more is answered and paid for by a pause', () => {
    const { router, peer } = joined({ rates: [{ role: 'anonymous', messages: 10 }] })
    expect(calls(peer, 10)).toBe(10)
    expect(peer.paused).toBe(false)
    expect(calls(peer, 1, 11)).toBe(1)
    expect(peer.paused).toBe(true)
    expect(router.stats()).toMatchObject({ throttled: 1, dropped: { sessions: 0 } })
    vi.advanceTimersByTime(99)
    expect(peer.paused).toBe(true)
    vi.advanceTimersByTime(2)
    expect(peer.paused).toBe(false)
    // What was read before the pause counts, all of it.
    expect(calls(peer, 20, 12)).toBe(20)
    expect(calls(peer, 10, 32)).toBe(10)
    vi.advanceTimersByTime(2980)
    expect(peer.paused).toBe(true)
    vi.advanceTimersByTime(25)
    expect(peer.paused).toBe(false)
    expect(router.stats().throttled).toBe(2)
  })

  test('a session within its rate is never paused, however long', () => {
    const { router, peer } = joined({ rates: [{ role: '*', messages: 10, bytes: 1000 }] })
    for (let n = 0; n < 100; n++) {
      expect(calls(peer, 1, n + 1)).toBe(1)
      vi.advanceTimersByTime(100)
    }
    expect(router.stats().throttled).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('bytes, and a longer burst that silence does not exceed', () => {
    const { peer } = joined({ rates: [{ role: 'anonymous', bytes: 1000, burst: 3 }] })
    vi.advanceTimersByTime(3_600_000)
    const publish = (request: number, bytes: number) => {
      const text = 'x'.repeat(bytes - JSON.stringify([PUBLISH, request, { acknowledge: true }, 'com.x', ['']]).length)
      return peer.says([PUBLISH, request, { acknowledge: true }, 'com.x', [text]])
    }
    expect(publish(1, 3000)).toEqual([[PUBLISHED, 1, expect.any(Number)]])
    expect(peer.paused).toBe(false)
    expect(publish(2, 2000)).toEqual([[PUBLISHED, 2, expect.any(Number)]])
    expect(peer.paused).toBe(true)
    vi.advanceTimersByTime(1990)
    expect(peer.paused).toBe(true)
    vi.advanceTimersByTime(15)
    expect(peer.paused).toBe(false)
  })

  test.each<[string, (router: Router, peer: Pausable) => void]>([
    ['is killed', (router, peer) => void router.close().catch(() => peer)],
    ['says goodbye', (_router, peer) => void peer.says([GOODBYE, {}, 'wamp.close.normal'])],
    ['breaks the protocol', (_router, peer) => void peer.says('no json')],
    ['is lost', (_router, peer) => peer.lose()],
  ])('a paused session that %s is read again, ends and leaves no timer', (_name, end) => {
    const { router, peer } = joined({ rates: [{ role: 'anonymous', messages: 1 }] })
    calls(peer, 100)
    expect(peer.paused).toBe(true)
    end(router, peer)
    expect(peer.paused).toBe(false)
    expect(router.stats().sessions).toBe(0)
    // Those of a polite end, at most.
    vi.advanceTimersByTime(10_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('reading waits for a decision and for the rate, whichever takes longer', async () => {
    const decisions: (() => void)[] = []
    const { peer } = joined({
      rates: [{ role: 'anonymous', messages: 10 }],
      limits: { held: 32 },
      authorize: ({ uri }) => uri !== 'com.slow' || new Promise((resolve) => decisions.push(() => resolve(true))),
    })
    const publish = (uri: string) => [PUBLISH, 1, {}, uri]
    const flush = async () => {
      for (let n = 0; n < 10; n++) await Promise.resolve()
    }
    // From the second held message on it is paused; the rate is not exceeded.
    peer.says(publish('com.slow'), publish('com.x'), publish('com.x'))
    expect(peer.paused).toBe(true)
    decisions.shift()?.()
    await flush()
    expect(peer.paused).toBe(false)
    // Both: the decision first.
    peer.says(publish('com.slow'), ...Array.from({ length: 12 }, () => publish('com.x')))
    expect(peer.paused).toBe(true)
    decisions.shift()?.()
    await flush()
    expect(peer.paused).toBe(true)
    vi.advanceTimersByTime(1500)
    expect(peer.paused).toBe(false)
    // The rate first.
    peer.says(publish('com.slow'), ...Array.from({ length: 12 }, () => publish('com.x')))
    vi.advanceTimersByTime(3000)
    expect(peer.paused).toBe(true)
    decisions.shift()?.()
    await flush()
    expect(peer.paused).toBe(false)
  })

  test('a session that is not read does not count as silent', () => {
    const { router, peer } = joined({ rates: [{ role: '*', messages: 1 }] }, { _speaks_every: 1000 })
    calls(peer, 60)
    vi.advanceTimersByTime(55_000)
    expect(peer.paused).toBe(true)
    expect(router.stats().sessions).toBe(1)
    vi.advanceTimersByTime(10_000)
    expect(router.stats().sessions).toBe(0)
  })

  test('rates by realm', () => {
    const rates = { a: [{ role: 'anonymous', messages: 1 }] }
    for (const [realm, paused] of [
      ['a', true],
      ['b', false],
    ] as const) {
      const { router, peer } = joined({ realms: ['a', 'b'], rates }, {}, realm)
      calls(peer, 5)
      expect(peer.paused).toBe(paused)
      expect(router.stats(realm).throttled).toBe(paused ? 1 : 0)
    }
  })

  test('a link that cannot be paused is not limited', () => {
    const router = new Router({ rates: [{ role: '*', messages: 1 }] })
    const peer = new Peer()
    router.attach(framed(peer, json))
    peer.says([HELLO, 'realm1', { roles: ROLES }])
    expect(calls(peer, 50)).toBe(50)
    expect(router.stats().throttled).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('over a transport', () => {
  const ways = {
    WebSocket: ['url', webSocketDial()],
    'a batched WebSocket': ['url', batching(webSocketDial())],
    RawSocket: ['rawSocketUrl', rawSocketDial()],
    'long polls': ['longPollUrl', longPollDial()],
    'batched long polls': ['longPollUrl', batching(longPollDial())],
  } as const

  test.each(Object.keys(ways) as (keyof typeof ways)[])('%s: nothing is lost, and others do not wait', async (way) => {
    // A client posts one message at a time, which takes a while.
    const rate = way === 'long polls' ? 5 : 200
    const rates: RoleRate[] = [
      { role: 'guest', messages: rate },
      { role: '*', messages: 100_000 },
    ]
    const router = new Router({ auth: [ticketAuth(principals)], rates })
    const served = await serve(router, { port: 0, longPoll: true })
    const [url, dial] = ways[way]
    const as = async (authid: string) => {
      const made = new WampClient({
        router: new WampRouter({ url: served[url] as string, dial }),
        auth: [ticket(authid, 'a')],
        reconnect: false,
      })
      await made.start()
      return made
    }
    const [guest, member] = [await as('guest'), await as('member')]
    onTestFinished(async () => {
      await Promise.all([guest.stop(), member.stop()])
      await router.close()
      await served.close()
    })
    await member.register('com.echo', ([n]) => n as number)
    const began = performance.now()
    const flood = Array.from({ length: 2 * rate }, (_, n) => guest.call<number>('com.echo', [n]))
    // The first pause is under way, or comes with the calls that are on theirs.
    await expect.poll(() => router.stats().throttled, { timeout: 10_000, interval: 5 }).toBeGreaterThan(0)
    expect(await member.call('com.echo', ['others'])).toBe('others')
    expect(await Promise.all(flood)).toEqual(Array.from({ length: 2 * rate }, (_, n) => n))
    // Five at once, and four pauses of a fifth of a second. What other transports read in one piece is answered before a pause.
    if (way === 'long polls') expect(performance.now() - began).toBeGreaterThan(700)
    expect(router.stats()).toMatchObject({ sessions: 2, dropped: { sessions: 0, held: 0 } })
    await guest.stop()
    await expect.poll(() => router.stats().sessions, { timeout: 10_000 }).toBe(1)
  })

  test('a client in the process of the router is limited by its role, and one of its owner is not', async () => {
    const router = new Router({ rates: [{ role: 'anonymous', messages: 50 }] })
    const [own, other] = [new WampClient({ router: router.trusted }), new WampClient({ router })]
    await Promise.all([own.start(), other.start()])
    onTestFinished(async () => {
      await Promise.all([own.stop(), other.stop()])
    })
    const flood = (client: WampClient) =>
      Promise.all(Array.from({ length: 60 }, () => client.call('wamp.session.count')))
    await flood(own)
    expect(router.stats().throttled).toBe(0)
    await flood(other)
    expect(router.stats().throttled).toBeGreaterThan(0)
  })
})

test.each<[unknown, string]>([
  ['fast', 'rates must be a list such as'],
  [[{ messages: 5 }], 'a rate needs a role'],
  [[{ role: '', messages: 5 }], 'rates.role must be the name of a role'],
  [[{ role: 'guest' }], 'the rate of role "guest" needs messages or bytes'],
  [[{ role: 'guest', messages: 0 }], 'rates.messages must be a number above 0'],
  [[{ role: 'guest', bytes: '1' }], 'rates.bytes must be a number above 0'],
  [[{ role: 'guest', messages: 1, burst: -1 }], 'rates.burst must be a number above 0'],
  [[{ role: 'guest', mesages: 1 }], 'did you mean messages?'],
  [
    [
      { role: '*', messages: 1 },
      { role: '*', bytes: 1 },
    ],
    'two rates of role "*"',
  ],
  [{ realm1: 'fast' }, 'rates must be a list such as'],
  [{ other: [{ role: '*', messages: 1 }] }, 'rates names "other", which is not one of its realms'],
])('rates: %j is a usage error', (rates, text) => {
  expect(() => new Router({ rates: rates as never })).toThrow(text)
})
