/** A real Router with peers whose wire is two arrays: messages of a test pass through the real JSON serializer. */

import { expect, onTestFinished } from 'vitest'
import { ABORT, CALL, ERROR, GOODBYE, HELLO, SUBSCRIBE, SUBSCRIBED, WELCOME } from 'wampy-ts/testing'
import { GOODBYE_AND_OUT } from '../../src/protocol/names.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { json } from '../../src/serializer/json.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import { framed } from '../../src/session/framed.ts'
import type { Frame, Transport, TransportSink } from '../../src/transport/transport.ts'

export type Wire = readonly unknown[]

export const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} }
/** An id or a text that the router chooses. */
export const ID = expect.any(Number)
export const TEXT = expect.any(String)

export interface PeerOptions {
  readonly serializer?: Serializer
  /** True if the transport accepts frames that another peer's transport prepared. */
  readonly prepares?: boolean
  /** Does not close its end when asked to, like a peer that hangs. */
  readonly hangs?: boolean
  /** Leaves it to the router to close the connection after GOODBYE. */
  readonly stays?: boolean
}

export class Peer implements Transport {
  readonly protocol: string
  readonly framing?: string
  /** Frames prepared on this transport, and frames written to it that way. */
  prepared = 0
  written = 0
  backlog = 0
  /** The way in which the router ended the transport. */
  end: 'closed' | 'terminated' | 'lost' | undefined
  id = 0
  /** The authid that the router assigned. */
  authid = ''
  readonly #serializer: Serializer
  readonly #hangs: boolean
  readonly #stays: boolean
  #dismissed = false
  #sink: TransportSink | undefined
  #inbox: unknown[][] = []

  constructor(options: PeerOptions = {}) {
    this.#serializer = options.serializer ?? json
    this.#hangs = options.hangs ?? false
    this.#stays = options.stays ?? false
    this.protocol = `wamp.2.${this.#serializer.name}`
    if (options.prepares) this.framing = 'arrays'
  }

  open(sink: TransportSink): void {
    this.#sink = sink
  }

  send(frame: Frame): void {
    if (this.end) return
    const message = this.#read(frame)
    this.#inbox.push(message)
    this.#dismissed ||= message[2] === GOODBYE_AND_OUT
  }

  prepare(frame: Frame): Frame {
    this.prepared++
    return frame
  }

  write(frame: Frame): void {
    this.written++
    this.send(frame)
  }

  close(): void {
    if (!this.#hangs) this.#ended('closed', 1000)
  }

  terminate(): void {
    this.#ended('terminated', 1006)
  }

  /** The connection breaks. */
  lose(): void {
    this.#ended('lost', 1006)
  }

  /** Messages that arrived and were not taken yet. */
  take(): unknown[][] {
    return this.#inbox.splice(0)
  }

  /** Sends these messages, valid or not, and takes the messages in return. */
  says(...messages: (Wire | Frame)[]): unknown[][] {
    for (const message of messages) {
      if (typeof message === 'string' || message instanceof Uint8Array) this.#sink?.frame(message)
      else
        this.#sink?.frame(
          this.#serializer === json ? JSON.stringify(message) : this.#serializer.encode(message as never),
        )
    }
    // A peer that has left closes the connection.
    if (this.#dismissed && !this.#stays) this.close()
    return this.take()
  }

  #ended(how: 'closed' | 'terminated' | 'lost', code: number): void {
    if (this.end) return
    this.end = how
    this.#sink?.closed({ code, reason: '' })
  }

  #read(frame: Frame): unknown[] {
    if (typeof frame === 'string') return JSON.parse(frame) as unknown[]
    const message = this.#serializer.decode(frame) as unknown[]
    return message.flatMap((item) =>
      typeof item === 'object' && item !== null && 'args' in item
        ? [item.args, ...('kwargs' in item && item.kwargs ? [item.kwargs] : [])]
        : [item],
    )
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
    router.attach(framed(peer, options?.serializer ?? json))
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
