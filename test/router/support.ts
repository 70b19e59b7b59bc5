/** A real Router with peers whose wire is two arrays, and what their tests share. */

import { expect, onTestFinished, vi } from 'vitest'
import { ABORT, CALL, ERROR, GOODBYE, HELLO, SUBSCRIBE, SUBSCRIBED, WELCOME } from 'wampy-ts/testing'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { json } from '../../src/serializer/json.ts'
import { framed } from '../../src/session/framed.ts'
import { Peer, type PeerOptions } from './peer.ts'

export { Peer, type PeerOptions, type Wire } from './peer.ts'

export const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} }
/** An id or a text that the router chooses. */
export const ID = expect.any(Number)
export const TEXT = expect.any(String)

/** Runs everything that does not depend on the outside. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The next message sent to a peer, which must be the only one. */
export async function next(peer: Peer): Promise<unknown[]> {
  for (;;) {
    const [message, ...more] = peer.take()
    expect(more).toEqual([])
    if (message) return message
    await settled()
  }
}

/** Resolves when peers found to be too far behind have been removed, which never happens at once. */
export const dropped = (): Promise<void> => Promise.resolve()

export interface World {
  readonly router: Router
  /** A link without a session. */
  connect(options?: PeerOptions): Peer
  /** A session. */
  join(options?: PeerOptions, details?: object, realm?: string): Peer
}

/** The memory that a router without sessions keeps for them. */
export const NOTHING_KEPT = {
  sessions: 0,
  incoming: 0,
  backlogs: 0,
  held: 0,
  calls: 0,
  queues: 0,
  subscriptions: 0,
  registrations: 0,
  testaments: 0,
}

/** A router whose realms must be empty when the test has ended and all its peers have left. */
export function open(options: RouterOptions = {}): World {
  // Most tests are about the effects of control over others rather than about its refusal.
  const router = new Router({ controlOthers: true, ...options })
  const peers: Peer[] = []
  onTestFinished(() => {
    for (const peer of peers) peer.lose()
    expect(router.stats()).toMatchObject({ sessions: 0, subscriptions: 0, registrations: 0, calls: 0, testaments: 0 })
    const { retained, histories, total } = router.stats().bytes
    expect(router.stats().bytes).toMatchObject({ ...NOTHING_KEPT, total: retained + histories })
    expect(total).toBeGreaterThanOrEqual(0)
    expect(router.links).toBe(0)
  })
  const connect = (options?: PeerOptions): Peer => {
    const peer = new Peer(options)
    peers.push(peer)
    router.attach(framed(peer, options?.serializer ?? json), undefined, options?.facts)
    return peer
  }
  const join = (options?: PeerOptions, details: object = {}, realm = router.realms[0]): Peer => {
    const peer = connect(options)
    const [welcome] = peer.says([HELLO, realm, { roles: ROLES, ...details }])
    expect(welcome).toEqual([WELCOME, ID, expect.anything()])
    peer.id = welcome?.[1] as number
    peer.authid = (welcome as [unknown, unknown, { authid: string }])[2].authid
    return peer
  }
  return { router, connect, join }
}

/** Subscribes, and returns the id of the subscription. */
export function subscribe(peer: Peer, topic: string, options: object = {}): number {
  const request = ++asked
  const [answer] = peer.says([SUBSCRIBE, request, options, topic])
  expect(answer).toEqual([SUBSCRIBED, request, ID])
  return answer?.[2] as number
}

/** The answer of a procedure of the router, without ids: `[RESULT, args?, kwargs?]` or `[ERROR, uri, args?]`. */
export function ask(peer: Peer, procedure: string, args?: readonly unknown[], kwargs?: object): unknown[] {
  const request = ++asked
  const answers = peer.says([CALL, request, {}, procedure, ...(args ? [args] : []), ...(kwargs ? [kwargs] : [])])
  const [[code, ...rest] = []] = answers
  expect(answers).toHaveLength(1)
  expect(rest.slice(0, code === ERROR ? 3 : 2)).toEqual(code === ERROR ? [CALL, request, {}] : [request, {}])
  return [code, ...rest.slice(code === ERROR ? 3 : 2)]
}

let asked = 1000

/** Each step of the router's long work takes a turn of the event loop, until the test has ended. */
export function slowly(): void {
  let now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 100))
  onTestFinished(() => clock.mockRestore())
}

/** An ABORT for a protocol violation whose text matches. */
export const violates = (text: RegExp = /./): unknown[][] => aborts('wamp.error.protocol_violation', text)

export const aborts = (reason: string, text: RegExp = /./): unknown[][] => [
  [ABORT, { message: expect.stringMatching(text) }, reason],
]

/** The three ways in which a peer leaves. */
export const WAYS: Record<string, (peer: Peer) => void> = {
  GOODBYE: (peer) => peer.says([GOODBYE, {}, 'wamp.close.close_realm']),
  ABORT: (peer) => peer.says([ABORT, {}, 'com.example.enough']),
  loss: (peer) => peer.lose(),
  violation: (peer) => peer.says('[]'),
}
