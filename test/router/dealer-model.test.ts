/** Random sequences of session actions: each call ends once, each peer receives only announced features, nothing stays. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  CALL,
  CANCEL,
  ERROR,
  INTERRUPT,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { able } from './rpc.ts'
import { open, type Peer, WAYS } from './support.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface Actor {
  readonly peer: Peer
  readonly without: readonly string[]
  next: number
  /** Its pending calls, and whether they requested progress. */
  readonly waiting: Map<number, boolean>
  /** Its calls that may have further parts, and their procedures. */
  readonly open: Map<number, string>
  invoked: number
  readonly registrations: number[]
}

const FEATURES = [
  'call_canceling',
  'call_reroute',
  'call_timeout',
  'progressive_call_results',
  'progressive_call_invocations',
  'registration_revocation',
]

interface Details {
  readonly progress?: boolean
  readonly receive_progress?: boolean
  readonly timeout?: number
}

/** Every answer must belong to a pending call, and every message to a peer that announced its feature. */
function hear({ without, waiting, registrations, ...actor }: Actor, messages: unknown[][]): number {
  let { invoked } = actor
  for (const message of messages) {
    const [code, second, third, fourth] = message as [number, number, number, Details]
    if (code === INVOCATION) {
      expect(second).toBeLessThanOrEqual(invoked + 1)
      invoked = Math.max(invoked, second)
      if (fourth.progress) expect(without).not.toContain('progressive_call_invocations')
      if (fourth.receive_progress) expect(without).not.toContain('progressive_call_results')
      if (fourth.timeout !== undefined) expect(without).not.toContain('call_timeout')
    } else if (code === RESULT) {
      const partial = (third as Details).progress === true
      if (partial) expect(waiting.get(second)).toBe(true)
      else expect(waiting.delete(second)).toBe(true)
    } else if (code === ERROR && second === CALL) expect(waiting.delete(third)).toBe(true)
    else if (code === REGISTERED) registrations.push(third)
    else if (code === INTERRUPT) expect(without).not.toContain('call_canceling')
    else if (code === UNREGISTERED && second === 0) expect(without).not.toContain('registration_revocation')
    else expect([ERROR, UNREGISTERED]).toContain(code)
  }
  return invoked
}

test.each([1, 2, 3])('seed %i', (start) => {
  let seed = start * 104_729
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const one = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  // Every other time, calls wait for full callees.
  const world = open(start % 2 ? {} : { callQueue: [{ uri: '', match: 'prefix', limit: 3 }] })
  const arrive = (): Actor => {
    const without = FEATURES.filter(() => random(4) === 0)
    const peer = able(world, ...without)
    return { peer, without, next: 1, waiting: new Map(), open: new Map(), invoked: 0, registrations: [] }
  }
  const uri = (): string => one(['com.a.b', 'com.a.c', 'com.x.b', 'org.a'])
  // Observed and not answered yet, by caller and request: `called` comes once, and so does `answered`.
  const observed = new Set<string>()
  world.router.observe({
    called: ({ session, request }) => {
      expect(observed.has(`${session} ${request}`)).toBe(false)
      observed.add(`${session} ${request}`)
    },
    answered: ({ session, request }) => expect(observed.delete(`${session} ${request}`)).toBe(true),
  })
  let actors: Actor[] = []
  // Messages in return are read with the others.
  const say = (actor: Actor, message: readonly unknown[]): void => {
    actor.invoked = hear(actor, actor.peer.says(message))
  }

  const call = (actor: Actor): void => {
    const progress = random(4) === 0 && !actor.without.includes('progressive_call_invocations')
    const id = actor.next++
    const procedure = uri()
    const receive_progress = random(2) === 0
    actor.waiting.set(id, receive_progress)
    if (progress) actor.open.set(id, procedure)
    const options = {
      ...(progress && { progress }),
      ...(receive_progress && { receive_progress }),
      ...(random(3) === 0 && { timeout: 1 + random(40) }),
    }
    say(actor, [CALL, id, options, procedure, [id]])
  }
  const part = (actor: Actor): void => {
    const [id, procedure] = one([...actor.open]) ?? []
    if (id === undefined) return
    const last = random(2) === 0
    if (last) actor.open.delete(id)
    say(actor, [CALL, id, last ? {} : { progress: true }, procedure, ['part']])
  }
  const answer = (actor: Actor): void => {
    if (actor.invoked === 0) return
    const invocation = Math.max(1, actor.invoked - random(6))
    say(
      actor,
      one([
        [YIELD, invocation, {}],
        [YIELD, invocation, { progress: true }],
        [ERROR, INVOCATION, invocation, {}, 'com.error'],
        [ERROR, INVOCATION, invocation, {}, 'wamp.error.unavailable'],
      ]),
    )
  }
  const register = (actor: Actor): void => {
    const [match, procedure] = one([
      ['exact', uri()],
      ['exact', uri()],
      ['prefix', one(['com.', 'com.a', '', 'org'])],
      ['wildcard', one(['com..b', '.a.', '.'])],
    ])
    const options = {
      match,
      invoke: one(['single', 'roundrobin', 'random', 'first', 'last', 'roundrobin']),
      ...(random(3) === 0 && { concurrency: 1 + random(3) }),
      ...(random(8) === 0 && { force_reregister: true }),
      ...(random(3) === 0 && { forward_timeout: true }),
    }
    say(actor, [REGISTER, actor.next++, options, procedure])
  }

  for (let step = 0; step < 1500; step++) {
    if (actors.length < 6) actors.push(arrive())
    const actor = one(actors)
    const choice = random(100)
    if (choice < 1) {
      one(Object.values(WAYS))(actor.peer)
      actors = actors.filter((other) => other !== actor)
    } else if (choice < 30) call(actor)
    else if (choice < 38) part(actor)
    else if (choice < 68) answer(actor)
    else if (choice < 78) {
      const id = one([...actor.waiting.keys(), Math.max(1, actor.next - 1)])
      say(actor, [CANCEL, id, one([{}, { mode: 'skip' }, { mode: 'kill' }, { mode: 'killnowait' }])])
    } else if (choice < 88) register(actor)
    else if (choice < 94) say(actor, [UNREGISTER, actor.next++, one(actor.registrations) ?? 1])
    else vi.advanceTimersByTime(random(20))
    for (const each of actors) {
      each.invoked = hear(each, each.peer.take())
      expect(each.peer.end).toBeUndefined()
    }
    const calls = actors.reduce((sum, { waiting }) => sum + waiting.size, 0)
    expect(world.router.stats()).toMatchObject({ sessions: actors.length, calls, dropped: { observations: 0 } })
    expect(observed.size).toBe(calls)
  }
  for (const { peer } of actors) peer.lose()
  expect(world.router.stats()).toMatchObject({ sessions: 0, registrations: 0, calls: 0, queued: 0 })
  vi.advanceTimersByTime(20_000)
  expect(vi.getTimerCount()).toBe(0)
})
