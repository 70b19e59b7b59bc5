/** Authorizers that answer late or never: the order of a session's messages, its waiting, and what is remembered. */

import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WampClient } from 'wampy-ts'
import type { Authorize, AuthorizeRequest, RouterOptions } from 'wampy-ts/router'
import {
  CALL,
  ERROR,
  EVENT,
  INVOCATION,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  YIELD,
} from 'wampy-ts/testing'
import { ID, open, type Peer, TEXT, type Wire, type World } from '../router/support.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const DENIED = 'wamp.error.not_authorized'
const FAILED = 'wamp.error.authorization_failed'
const AUTHORIZER = 'com.example.authorize'

/** Runs everything that does not depend on the outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns === 10_000) throw new Error(`still waiting for ${holds}`)
    await settled()
  }
}

/** The answer of an authorizer to one action; a promise, or a value. */
type Decide = (request: Pick<AuthorizeRequest, 'action' | 'uri' | 'options'>) => unknown

/** The two kinds of authorizers, which ask `decide`. */
const authorizers: Readonly<Record<string, (decide: Decide, options?: RouterOptions) => Promise<World>>> = {
  function: async (decide, options) => open({ ...options, authorize: decide as Authorize }),
  procedure: async (decide, options) => {
    const world = open({ ...options, authorize: [{ name: 'anonymous', authorizer: AUTHORIZER }] })
    const owner = new WampClient({ router: world.router.trusted, reconnect: false, liveness: false })
    onTestFinished(() => owner.stop())
    await owner.start()
    await owner.register(AUTHORIZER, ([, uri, action, given]) => {
      return decide({ uri, action, options: given } as AuthorizeRequest)
    })
    return world
  },
}

/** A reproducible generator of random numbers. */
function random(seed: number): (below: number) => number {
  let state = seed + 1
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const SESSIONS = 3
const TOPICS = 3

/** Messages of all kinds; about a fifth is denied. UNSUBSCRIBE names one of the subscriptions. */
function program(session: number, seed: number, subscriptions: readonly unknown[]): Wire[] {
  const draw = random(seed * SESSIONS + session)
  return Array.from({ length: 50 }, (_, at): Wire => {
    const request = at + 1
    const options = { _allowed: draw(5) > 0 }
    const topic = draw(TOPICS)
    const own = `com.own${session}.${topic}`
    const exact = draw(2)
    const data = [session, request]
    const publish = { ...options, ...(draw(2) === 0 && { acknowledge: true }) }
    switch (draw(8)) {
      case 0:
        return [PUBLISH, request, publish, 'com.all', data]
      case 1:
        return [SUBSCRIBE, request, { ...options, match: exact ? 'exact' : 'prefix' }, own]
      case 2:
        return [UNSUBSCRIBE, request, subscriptions[2 * topic + exact]]
      case 3:
        return [REGISTER, request, { ...options, match: exact ? 'exact' : 'prefix' }, own]
      case 4:
        return [CALL, request, options, own, data]
      case 5:
        return [CALL, request, options, 'com.echo', data]
      default:
        return [PUBLISH, request, { ...publish, exclude_me: false }, own, data]
    }
  })
}

interface Heard {
  /** By session, in order: everything but the results of `com.echo`, which depend on its callee, too. */
  readonly own: unknown[][]
  readonly results: unknown[][]
  /** The events of a topic and the calls of a procedure of others, by the session that sent them. */
  readonly events: unknown[][]
  readonly calls: unknown[][]
}

/** What a program causes, under an authorizer that answers after a random number of turns of the event loop. */
async function heardOf(seed: number, kind: string, turns: (below: number) => number): Promise<Heard> {
  const { join } = await (authorizers[kind] as (typeof authorizers)[string])(({ options }) => {
    const allowed = options['_allowed'] !== false
    const wait = turns(4)
    if (wait === 0) return allowed
    return (async () => {
      for (let turn = 0; turn < wait; turn++) await settled()
      return allowed
    })()
  })
  const [echo, watcher, holder] = [join(), join(), join()]
  const answers: unknown[][] = []
  const answered = async (peer: Peer, message: Wire): Promise<unknown> => {
    answers.push(...peer.says(message))
    await until(() => answers.push(...peer.take()) > 0 && answers.length > 0)
    return answers.pop()?.[2]
  }
  await answered(echo, [REGISTER, 1, {}, 'com.echo'])
  await answered(watcher, [SUBSCRIBE, 1, {}, 'com.all'])
  // A subscription that somebody holds has an id before the sessions subscribe.
  const names = new Map<unknown, string>()
  for (let session = 0; session < SESSIONS; session++) {
    for (let topic = 0; topic < TOPICS; topic++) {
      for (const match of ['prefix', 'exact']) {
        const uri = `com.own${session}.${topic}`
        names.set(await answered(holder, [SUBSCRIBE, 1, { match }, uri]), `${match} ${uri}`)
      }
    }
  }
  const ids = [...names.keys()]
  const peers = Array.from({ length: SESSIONS }, () => join())
  const heard: Heard = {
    own: peers.map(() => []),
    results: peers.map(() => []),
    events: peers.map(() => []),
    calls: peers.map(() => []),
  }
  const invoked: number[][] = peers.map(() => [])
  const note = (session: number, messages: unknown[][]): void => {
    for (const message of messages) {
      const [code, first, second] = message as [number, number, unknown]
      if (code === INVOCATION) invoked[session]?.push(first)
      if (code === RESULT) heard.results[session]?.push(message)
      else if (code === ERROR) heard.own[session]?.push(message.slice(0, 5))
      else if (code === EVENT) heard.own[session]?.push([code, names.get(first), ...message.slice(3)])
      else if (code === SUBSCRIBED) heard.own[session]?.push([code, first, names.get(second)])
      else if (code === UNSUBSCRIBED) heard.own[session]?.push(message)
      // A publication or registration has an id of its own in each run.
      else heard.own[session]?.push([code, first, ...message.slice(3)])
    }
  }
  const serve = (): void => {
    for (const [session, peer] of peers.entries()) note(session, peer.take())
    for (const [, , , , data] of watcher.take()) {
      const [session, request] = data as [number, number]
      heard.events[session]?.push(request)
    }
    for (const [, invocation, , , data] of echo.take()) {
      const [session, request] = data as [number, number]
      heard.calls[session]?.push(request)
      echo.says([YIELD, invocation, {}, ['echo']])
    }
    holder.take()
  }
  const programs = peers.map((_, session) =>
    program(session, seed, ids.slice(2 * TOPICS * session, 2 * TOPICS * (session + 1))),
  )
  for (let at = 0; at < (programs[0]?.length ?? 0); at++) {
    for (const [session, peer] of peers.entries()) note(session, peer.says(programs[session]?.[at] as Wire))
    if (at % 5 === seed % 5) {
      await settled()
      serve()
    }
  }
  for (const [session, peer] of peers.entries()) note(session, peer.says([SUBSCRIBE, 99, {}, 'com.end']))
  await until(() => {
    serve()
    return heard.own.every((messages) =>
      messages.some((message) => isDeepStrictEqual((message as Wire).slice(0, 2), [SUBSCRIBED, 99])),
    )
  })
  for (const [session, peer] of peers.entries()) {
    note(session, peer.says(...(invoked[session] as number[]).map((id) => [YIELD, id, {}, ['own']])))
  }
  serve()
  return heard
}

describe.each(Object.keys(authorizers))('a %s that answers after random delays', (kind) => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('reorders no messages of a session (seed %d)', async (seed) => {
    const expected = await heardOf(seed, 'function', () => 0)
    expect(await heardOf(seed, kind, random(seed))).toEqual(expected)
    // The programs do what this test is about.
    const codes = new Set(expected.own.flat().map((message) => (message as unknown[])[0]))
    for (const code of [ERROR, EVENT, PUBLISHED, SUBSCRIBED, REGISTERED, INVOCATION]) expect(codes).toContain(code)
    for (const messages of [expected.events, expected.calls, expected.results]) {
      expect(messages.flat().length).toBeGreaterThan(0)
    }
  })
})

/** Messages that are decided, each with its ERROR or, if it has none, the counter of its silent refusal. */
const DECIDED: readonly [name: string, message: Wire][] = [
  ['call', [CALL, 5, {}, 'hang.x']],
  ['registration', [REGISTER, 5, {}, 'hang.x']],
  ['subscription', [SUBSCRIBE, 5, {}, 'hang.x']],
  ['acknowledged publication', [PUBLISH, 5, { acknowledge: true }, 'hang.x']],
  ['unacknowledged publication', [PUBLISH, 5, {}, 'hang.x']],
  ['testament', [CALL, 5, {}, 'wamp.session.add_testament', ['hang.x', [], {}]]],
  ['reading of a history', [CALL, 5, {}, 'wamp.subscription.get_events', ['history']]],
]

describe.each(Object.keys(authorizers))('a %s that never answers', (kind) => {
  test.each(DECIDED)('delays only the session of the %s, until its time limit', async (name, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { join, router } = await (authorizers[kind] as (typeof authorizers)[string])(
      ({ uri, action }) =>
        uri.startsWith('hang') && (action !== 'call' || name === 'call') ? new Promise(() => {}) : true,
      { limits: { decision: 500 }, history: [{ uri: 'hang.x', limit: 1 }] },
    )
    const [hung, other] = [join(), join()]
    const said = [...message]
    if (name.includes('history')) {
      const [lookup] = await answersOf(other, [CALL, 1, {}, 'wamp.subscription.lookup', ['hang.x']])
      said[4] = lookup?.[3]
    }
    hung.says(said, [CALL, 6, {}, 'wamp.session.count'])
    // Another session is answered meanwhile, many times.
    for (let request = 2; request < 12; request++) {
      expect(await answersOf(other, [PUBLISH, request, { acknowledge: true }, 'com.topic'])).toEqual([
        [PUBLISHED, request, ID],
      ])
    }
    expect(hung.take()).toEqual([])
    await vi.advanceTimersByTimeAsync(499)
    expect(hung.take()).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await until(() => router.stats().calls === 0)
    const answers = hung.take()
    const count = kind === 'function' ? 2 : 3
    if (name.startsWith('unack')) {
      expect(answers).toEqual([[RESULT, 6, {}, [count]]])
      expect(router.stats().dropped.publications).toBe(1)
    } else {
      expect(answers).toHaveLength(2)
      expect(answers).toContainEqual([ERROR, message[0], 5, {}, FAILED, [TEXT]])
      expect(answers).toContainEqual([RESULT, 6, {}, [count]])
    }
  })
})

/** Says a message and awaits what comes in return. */
async function answersOf(peer: Peer, message: Wire): Promise<unknown[][]> {
  const answers = peer.says(message)
  await until(() => answers.push(...peer.take()) > 0)
  return answers
}

describe.each(Object.keys(authorizers))('what a %s answers with `cache`', (kind) => {
  const publish = async (peer: Peer, topic: string): Promise<unknown> => {
    const [answer] = await answersOf(peer, [PUBLISH, 1, { acknowledge: true }, topic])
    return answer?.[0] === PUBLISHED ? true : answer?.[4]
  }
  const caching = async (cache: (uri: string) => boolean | number) => {
    const asked: string[] = []
    const rights = { allow: true }
    const world = await (authorizers[kind] as (typeof authorizers)[string])(({ uri }) => {
      asked.push(uri)
      return { ...rights, cache: cache(uri) }
    })
    return { ...world, asked, rights }
  }

  test('is remembered for its session until the rights change, allowed or denied', async () => {
    const { join, router, asked, rights } = await caching(() => true)
    const [one, other] = [join(), join()]
    for (let n = 0; n < 3; n++) expect(await publish(one, 'com.a')).toBe(true)
    expect(asked).toEqual(['com.a'])
    expect(await publish(other, 'com.a')).toBe(true)
    rights.allow = false
    expect(await publish(one, 'com.a')).toBe(true)
    router.forgetDecisions()
    for (let n = 0; n < 3; n++) expect(await publish(one, 'com.a')).toBe(DENIED)
    expect(asked).toHaveLength(3)
  })

  test('is remembered for so many milliseconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { join, asked } = await caching(() => 1000)
    const peer = join()
    await publish(peer, 'com.a')
    vi.advanceTimersByTime(999)
    await publish(peer, 'com.a')
    expect(asked).toHaveLength(1)
    vi.advanceTimersByTime(1)
    await publish(peer, 'com.a')
    expect(asked).toHaveLength(2)
  })

  test('is not remembered for a URI of more than 256 characters', async () => {
    const { join, asked } = await caching(() => true)
    const peer = join()
    const uri = (length: number): string => 'a'.repeat(length)
    for (const length of [256, 257]) for (let n = 0; n < 2; n++) await publish(peer, uri(length))
    expect(asked.map(({ length }) => length)).toEqual([256, 257, 257])
  })
})

test('a router remembers at most 10,000 answers, of which the oldest go first', () => {
  const asked = new Set<string>()
  const peer = open({
    authorize: ({ uri }) => {
      asked.add(uri)
      return { allow: true, cache: true }
    },
  }).join()
  const publish = (n: number): void => void peer.says([PUBLISH, 1, {}, `com.n${n}`])
  for (let n = 0; n <= 10_000; n++) publish(n)
  asked.clear()
  for (const n of [1, 10_000, 0]) publish(n)
  expect([...asked]).toEqual(['com.n0'])
})

test('the answers of a session that has left make room', () => {
  const asked: string[] = []
  const { join } = open({
    authorize: ({ uri }) => {
      asked.push(uri)
      return { allow: true, cache: true }
    },
  })
  const [one, leaving] = [join(), join()]
  one.says([PUBLISH, 1, {}, 'com.oldest'])
  for (let n = 1; n < 10_000; n++) leaving.says([PUBLISH, 1, {}, `com.n${n}`])
  leaving.lose()
  join().says([PUBLISH, 1, {}, 'com.newest'])
  asked.length = 0
  one.says([PUBLISH, 1, {}, 'com.oldest'])
  expect(asked).toEqual([])
})

test('an answer that is under way when the decisions are forgotten decides its action and is not remembered', async () => {
  const answers: ((allow: boolean) => void)[] = []
  const { join, router } = open({
    authorize: () =>
      new Promise((resolve) => answers.push((allow) => resolve({ allow, cache: true }))) as ReturnType<Authorize>,
  })
  const peer = join()
  const publish: Wire = [PUBLISH, 1, { acknowledge: true }, 'com.a']
  peer.says(publish, publish)
  router.forgetDecisions()
  answers[0]?.(true)
  await until(() => answers.length === 2)
  expect(peer.take()).toEqual([[PUBLISHED, 1, ID]])
  answers[1]?.(false)
  await settled()
  expect(peer.take()).toEqual([[ERROR, PUBLISH, 1, {}, DENIED, [TEXT]]])
})

test('a promise of an answer that cannot be read refuses, also for a testament', async () => {
  const unreadable = {
    get allow(): boolean {
      throw new Error('no')
    },
  }
  const { join } = open({ authorize: async ({ action }) => action !== 'publish' || unreadable })
  const peer = join()
  peer.says(
    [CALL, 1, {}, 'wamp.session.add_testament', ['com.a', [], {}]],
    [PUBLISH, 2, { acknowledge: true }, 'com.a'],
  )
  await settled()
  await settled()
  expect(peer.take().map((message) => message.slice(0, 5))).toEqual(
    expect.arrayContaining([
      [ERROR, CALL, 1, {}, FAILED],
      [ERROR, PUBLISH, 2, {}, FAILED],
    ]),
  )
})

test('limits.decision of a procedure may exceed the longest timer', async () => {
  const { join } = await (authorizers['procedure'] as (typeof authorizers)[string])(
    async () => {
      for (let turn = 0; turn < 3; turn++) await settled()
      return true
    },
    { limits: { decision: Number.POSITIVE_INFINITY } },
  )
  expect(await answersOf(join(), [SUBSCRIBE, 1, {}, 'com.a'])).toEqual([[SUBSCRIBED, 1, ID]])
})
