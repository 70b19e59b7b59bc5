/** Compares the dealer with a slow and plain one, written from the specification alone: all messages are equal. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CALL, CANCEL, ERROR, INVOCATION, REGISTER, UNREGISTER, UNREGISTERED, YIELD } from 'wampy-ts/testing'
import { LIMIT, Party, Reference, Served } from './reference.ts'
import { able } from './rpc.ts'
import { open, type Peer, WAYS } from './support.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

type Said = readonly unknown[]

const FEATURES = [
  'call_canceling',
  'call_reroute',
  'call_timeout',
  'progressive_call_results',
  'progressive_call_invocations',
  'registration_revocation',
]

interface Actor {
  readonly peer: Peer
  readonly party: Party
  next: number
  readonly open: Map<number, string>
}

test.each([1, 2, 3, 4])('seed %i', (start) => {
  let seed = start * 7_919
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const one = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const queueing = start % 2 === 0
  const world = open(queueing ? { callQueue: [{ uri: '', match: 'prefix', limit: LIMIT }] } : {})
  const reference = new Reference(queueing)
  const named = new Map<number, Served>()
  let actors: Actor[] = []
  const trace: string[] = []

  const arrive = (): Actor => {
    const lacks = FEATURES.filter(() => random(5) === 0)
    const peer = able(world, ...lacks)
    return { peer, party: new Party(peer.id, lacks), next: 1, open: new Map() }
  }
  /** Compares received messages with those of the reference; a registration gets its id when first named. */
  const compare = ({ peer, party }: Actor, heard: Said[]): void => {
    const name = (value: unknown, actual: unknown): unknown => {
      if (!(value instanceof Served)) return value
      if (value.id === undefined && typeof actual === 'number' && !named.has(actual)) {
        value.id = actual
        named.set(actual, value)
      }
      return value.id
    }
    const expected = party.heard.splice(0).map((message, i) => {
      const actual = heard[i] ?? []
      return message
        .map((value, place) =>
          place === 2 && message[0] === UNREGISTERED
            ? { ...(value as object), registration: (value as { registration: Served }).registration.id }
            : name(value, actual[place]),
        )
        .filter((value) => value !== undefined)
    })
    expect(heard, `${party.id} after\n${trace.slice(-12).join('\n')}`).toEqual(expected)
    expect(peer.end).toBeUndefined()
  }

  const say = (actor: Actor, message: Said): void => {
    trace.push(`${actor.party.id} ${JSON.stringify(message)}`)
    compareAll(actor, actor.peer.says(message))
  }
  const compareAll = (first?: Actor, heard?: Said[]): void => {
    for (const actor of actors) compare(actor, actor === first ? (heard as Said[]) : actor.peer.take())
    expect(world.router.stats()).toMatchObject({ calls: reference.asked.length, queued: reference.queued })
  }
  const uri = (): string => one(['com.a.b', 'com.a.c', 'com.x.b', 'org.a'])

  for (let step = 0; step < 1500; step++) {
    if (actors.length < 6) actors.push(arrive())
    const actor = one(actors)
    const { party, peer } = actor
    const choice = random(100)
    if (choice < 1) {
      trace.push(`${party.id} leaves`)
      actors = actors.filter((other) => other !== actor)
      reference.leave(party)
      one(Object.values(WAYS))(peer)
      compareAll()
    } else if (choice < 32) {
      const request = actor.next++
      const procedure = uri()
      const options = {
        ...(random(4) === 0 && !party.lacks.includes('progressive_call_invocations') && { progress: true }),
        ...(random(2) === 0 && { receive_progress: true }),
        ...(random(3) === 0 && { timeout: 1 + random(40) }),
        ...(random(6) === 0 && { disclose_me: true }),
      }
      if (options.progress) actor.open.set(request, procedure)
      reference.call(party, request, options, procedure, [request])
      say(actor, [CALL, request, options, procedure, [request]])
    } else if (choice < 40) {
      const [request, procedure] = one([...actor.open]) ?? []
      if (request === undefined || procedure === undefined) continue
      const options = random(2) === 0 ? {} : { progress: true, timeout: 3 }
      if (!options.progress) actor.open.delete(request)
      reference.call(party, request, options, procedure, [step])
      say(actor, [CALL, request, options, procedure, [step]])
    } else if (choice < 68) {
      if (party.invoked === 0) continue
      const invocation = Math.max(1, party.invoked - random(6))
      const kind = random(4)
      if (kind < 2) {
        const options = kind === 0 ? {} : { progress: true }
        reference.yield(party, invocation, kind === 1, [step])
        say(actor, [YIELD, invocation, options, [step]])
      } else {
        const error = kind === 2 ? 'com.error' : 'wamp.error.unavailable'
        reference.error(party, invocation, error)
        say(actor, [ERROR, INVOCATION, invocation, {}, error])
      }
    } else if (choice < 78) {
      const request = Math.max(1, actor.next - 1 - random(6))
      const mode = one(['skip', 'kill', 'killnowait', undefined])
      reference.cancel(party, request, mode)
      say(actor, [CANCEL, request, mode ? { mode } : {}])
    } else if (choice < 88) {
      const [match, procedure] = one([
        ['exact', uri()],
        ['exact', uri()],
        ['prefix', one(['com.', 'com.a', '', 'org'])],
        ['wildcard', one(['com..b', '.a.', '.'])],
      ]) as [string, string]
      const options = {
        match,
        invoke: one(['single', 'roundrobin', 'first', 'last', 'roundrobin']),
        ...(random(2) === 0 && { concurrency: 1 + random(2) }),
        ...(random(8) === 0 && { force_reregister: true }),
        ...(random(3) === 0 && { forward_timeout: true }),
        ...(random(6) === 0 && { disclose_caller: true }),
      }
      const request = actor.next++
      reference.register(party, request, options, procedure)
      say(actor, [REGISTER, request, options, procedure])
    } else if (choice < 92) {
      const served = one([...named.values()])
      if (!served) continue
      const request = actor.next++
      reference.unregister(party, request, served)
      say(actor, [UNREGISTER, request, served.id])
    } else {
      const time = random(20)
      trace.push(`${time} ms`)
      reference.pass(time)
      vi.advanceTimersByTime(time)
      compareAll()
    }
  }
})
