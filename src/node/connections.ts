/** The connections of a server: their number, their silence and their end. */

import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { getHeapStatistics } from 'node:v8'
import type { ConnectionFacts } from '../auth/contract.ts'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { usage } from '../protocol/error.ts'
import { MAX_BEFORE_JOINING } from '../protocol/fixed-limits.ts'
import { COUNT, DURATION, type OptionRules, SERIALIZERS } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { forRouter } from '../serializer/routed-json.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { framed } from '../session/framed.ts'
import type { Attachable, Link, TransportInfo } from '../session/link.ts'
import { batched, isBatched, unbatchedProtocol } from '../transport/batched.ts'
import { SWEEP_RULES, Sweep, type SweepOptions } from '../transport/silence-sweep.ts'
import type { Transport } from '../transport/transport.ts'
import { Accepted } from './accepted.ts'
import { type Delayable, FairTurns } from './fair-turns.ts'
import { isLoopback } from './listen.ts'
import { PerAddress } from './per-address.ts'
import { TrustedProxies } from './trusted-proxies.ts'

export interface ConnectionOptions extends SweepOptions {
  /**
   * Milliseconds from the acceptance of a connection to its whole handshake, on a port of its own. Default 5,000; 0 for no
   * limit.
   */
  readonly helloTimeout?: number | undefined
  /** The greatest number of connections, counted from their acceptance; more are refused. No limit by default. */
  readonly maxConnections?: number | undefined
  /**
   * The greatest number of connections of one address, counted from their acceptance; more are refused. For IPv6 of one
   * network of 64 bits. Loopback addresses are exempt, and those of trusted proxies, whose clients are counted by the
   * addresses that the proxies state. Connections that only send requests, such as long polls, may be six times as many. No limit by default: many users may share an address.
   */
  readonly maxConnectionsPerAddress?: number | undefined
  /** JSON, CBOR and MessagePack by default. The client's order of preference decides. */
  readonly serializers?: readonly Serializer[] | undefined
}

export const CONNECTION_RULES: OptionRules<ConnectionOptions> = {
  ...SWEEP_RULES,
  helloTimeout: DURATION,
  maxConnections: COUNT,
  maxConnectionsPerAddress: COUNT,
  serializers: SERIALIZERS,
}

/** Milliseconds for a client to answer the closing of its connection. */
const CLOSING_TIMEOUT = 2_000

/** @throws WampError `wampy.error.usage` for a value that is not a router */
export function checkAttachable(caller: string, router: unknown): void {
  if (typeof Object(router).attach === 'function') return
  throw usage(
    `${caller} expects a Router as its first argument, such as ${caller}(new Router()), got ${formatValue(router)}`,
  )
}

export class Connections {
  readonly #router: Attachable
  readonly #serializers: ReadonlyMap<string, Serializer>
  readonly #limit: number
  readonly #perAddress: PerAddress
  readonly #sweep: Sweep
  readonly #turns = new FairTurns()
  readonly #open = new Map<Transport, Promise<unknown>>()
  #accepted: Accepted | undefined
  readonly #helloTimeout: number
  #closing = false

  constructor(
    router: Attachable,
    serializers: readonly Serializer[],
    options: ConnectionOptions,
    proxies = new TrustedProxies(),
  ) {
    this.#router = router
    router.hosted?.({ heap: getHeapStatistics().heap_size_limit, serializers })
    this.#serializers = new Map(serializers.map((each) => [subprotocolOf(each), forRouter(each)]))
    this.#limit = options.maxConnections ?? Number.POSITIVE_INFINITY
    this.#perAddress = new PerAddress(
      options.maxConnectionsPerAddress ?? Number.POSITIVE_INFINITY,
      (address) => isLoopback(address) || proxies.trusts(address),
    )
    this.#sweep = new Sweep(options)
    this.#helloTimeout = options.helloTimeout ?? 5000
  }

  /** Counts the connections of a server that is used for nothing else. */
  accept(server: Server): void {
    this.#accepted = new Accepted(
      server,
      this.#limit,
      this.#perAddress,
      this.#helloTimeout || LONGEST_TIMER,
      this.turnedAway,
    )
  }

  /** A connection has sent a whole request of HTTP, and becomes no transport. Returns the reason of a refusal. */
  requested(socket: Socket): string | undefined {
    return this.#accepted?.requested(socket)
  }

  /** The supported subprotocols, for people. */
  get protocolList(): string {
    return [...this.#serializers.keys()].join(', ')
  }

  /** True when the server or its router is closing: no session can begin any more. */
  get closing(): boolean {
    return this.#closing || this.#router.closing === true
  }

  /** Reports a connection that is refused or closed before it becomes a transport. */
  readonly turnedAway = (text: string): void => this.#router.turnedAway?.(text)

  /**
   * Returns the reason why one more connection is refused, and reports it; undefined if it is accepted. It then has a place
   * of its address until `ended` resolves.
   */
  refuse(connection: object, address: string | undefined, ended: Promise<unknown>): string | undefined {
    if (this.closing) return 'the router is closing'
    const full = this.#open.size >= this.#limit || this.#accepted?.full
    if (!full && this.#perAddress.enter(connection, address)) {
      ended.then(() => this.#perAddress.leave(connection))
      return undefined
    }
    const text = full ? `the limit of ${this.#limit} connections is reached` : this.#perAddress.reason
    this.turnedAway(text)
    return text
  }

  /** Returns the first supported subprotocol of the client's offers; batched ones count too, unless `batches` is false. */
  choose(offers: Iterable<string>, batches = true): string | undefined {
    for (const offer of offers) {
      if (this.#serializers.has(isBatched(offer) && batches ? unbatchedProtocol(offer) : offer)) return offer
    }
    return undefined
  }

  /**
   * Attaches a connection to the router. `ended` resolves when all of it is released. `socket` is watched for silence;
   * a transport without one watches itself. `inspect` receives the link before the router does.
   */
  attach(
    transport: Transport,
    info: TransportInfo,
    facts: ConnectionFacts,
    ended: Promise<unknown>,
    socket?: Duplex,
    inspect?: (link: Link) => void,
  ): void {
    const serializer = this.#serializers.get(unbatchedProtocol(transport.protocol)) as Serializer
    this.#open.set(transport, ended)
    if (socket) this.#accepted?.settled(socket)
    const watched = socket && this.#sweep.watch(transport)
    if (watched) socket.on('data', watched.received)
    ended.then(() => {
      this.#open.delete(transport)
      if (watched) this.#sweep.forget(watched)
    })
    try {
      const single = isBatched(transport.protocol) ? batched(transport) : transport
      const link = framed(single, serializer)
      inspect?.(link)
      if (socket) limitBeforeJoining(link, socket)
      if (socket && isDelayable(transport)) {
        this.#turns.watch(socket, transport, countArriving(socket, link))
      }
      // A batch has four bytes in front of a message, or one behind it.
      const longest = transport === single || facts.maxMessage === undefined ? {} : { maxMessage: facts.maxMessage - 4 }
      this.#router.attach(link, info, { ...facts, ...longest })
    } catch {
      transport.close(1011, 'the router could not accept the connection')
    }
  }

  /** Refuses further connections, closes the open ones, and terminates those that do not close. */
  async end(): Promise<void> {
    this.#closing = true
    this.#sweep.stop()
    const closing = [...this.#open]
    for (const [transport] of closing) transport.close(1001, 'the router is closing')
    const ended = Promise.all(closing.map(([, each]) => each))
    await settleWithin(CLOSING_TIMEOUT, ended)
    for (const [transport] of this.#open) transport.terminate()
    await ended
  }
}

/** A client that has not joined may send a HELLO and its credentials, not a message that fills the memory. */
function limitBeforeJoining(link: Link, socket: Duplex): void {
  let received = 0
  let exceeded = (_text: string): void => {}
  const count = (chunk: Buffer): void => {
    received += chunk.length
    if (received > MAX_BEFORE_JOINING) exceeded(`more than ${MAX_BEFORE_JOINING} bytes before it joined a realm`)
  }
  link.joining = (end) => {
    exceeded = end
    socket.on('data', count)
  }
  link.joined = () => {
    socket.off('data', count)
    // Nothing of it stays as long as the session.
    link.joining = undefined
    link.joined = undefined
  }
}

function isDelayable(transport: Transport): transport is Transport & Delayable {
  return 'delay' in transport && 'proceed' in transport
}

/** Shorter parts of messages are not reported: nearly every message arrives in one chunk. */
const LONG_PART = 65_536
/** Nothing longer can be one message: pings and other control frames add up too. */
const LONGEST_PART = 2 ** 25

/**
 * Reports the bytes of a message that has not arrived in whole: a peer may send all of it but the last byte. Returns a
 * function that returns them.
 */
function countArriving(socket: Duplex, link: Link): () => number {
  let seen = link.received
  let arriving = 0
  let reported = 0
  const report = (bytes: number): void => {
    reported = bytes
    link.arriving?.(bytes)
  }
  socket.on('data', (chunk: Buffer) => {
    if (link.received === seen && arriving < LONGEST_PART) arriving += chunk.length
    else arriving = 0
    seen = link.received
    if (arriving > LONG_PART) report(arriving)
    else if (reported > 0) report(0)
  })
  return () => reported
}

async function settleWithin(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
