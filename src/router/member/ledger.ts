/**
 * The bytes that a router keeps for its peers, by kind, and the limit on their sum. Each change is an addition. When the
 * sum exceeds the limit, a later turn of the event loop measures again and cuts the largest consumers first.
 */

/** What costs memory, as `router.stats().bytes` names it. */
export interface BytesByKind {
  /** Connections and sessions, a constant for each. */
  readonly sessions: number
  /** Long messages that have not arrived in whole. */
  readonly incoming: number
  /** Bytes sent and not yet written to the network, with the overhead of their frames. */
  readonly backlogs: number
  /** Messages held while a decision is awaited. */
  readonly held: number
  /** Unanswered calls, with the messages of those that may be re-routed. */
  readonly calls: number
  /** Queued calls. */
  readonly queues: number
  readonly subscriptions: number
  readonly registrations: number
  readonly testaments: number
  /** Retained events. */
  readonly retained: number
  /** Events in histories that are in memory. */
  readonly histories: number
}

export interface RouterBytes extends BytesByKind {
  /** The sum. */
  readonly total: number
  /** The limit on the sum. */
  readonly limit: number
}

export type ByteKind = keyof BytesByKind

/** A session or a store, which can be cut. */
export interface Consumer {
  /** Its bytes now, measured again where they change without a message. */
  measure(): number
  /** Frees bytes: a store about as many as asked, a session all, because it ends. Returns the number of freed bytes. */
  shed(bytes: number, limit: number): number
}

/** The part of a heap that a router may fill. The rest is for messages on their way, and for the program around it. */
export const HEAP_SHARE = 1 / 4
/** After a cut this part of the limit is free, so that the search for the largest consumers is rare. */
const FREED = 1 / 8
/** The part of the limit that must be added before backlogs are measured again in vain. */
const SLACK = 1 / 16

const noBytes = (): { -readonly [Kind in ByteKind]: number } => ({
  sessions: 0,
  incoming: 0,
  backlogs: 0,
  held: 0,
  calls: 0,
  queues: 0,
  subscriptions: 0,
  registrations: 0,
  testaments: 0,
  retained: 0,
  histories: 0,
})

/** A consumer of a smaller share of the limit is not cut for bytes that are not its own. */
const NEGLIGIBLE = 1 / 1024

export class Ledger {
  readonly #bytes = noBytes()
  readonly #consumers = new Set<Consumer>()
  #total = 0
  #limit: number
  /** The sum above which a check is scheduled. */
  #alarm: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(limit: number) {
    this.#limit = limit
    this.#alarm = limit
  }

  get limit(): number {
    return this.#limit
  }

  set limit(limit: number) {
    this.#limit = limit
    this.#alarm = limit
    this.change('sessions', 0)
  }

  change(kind: ByteKind, bytes: number): void {
    this.#bytes[kind] += bytes
    this.#total += bytes
    // In a later turn: readers that keep up have then read what this turn sends.
    if (this.#total > this.#alarm) this.#timer ??= setTimeout(this.#check, 0)
  }

  add(consumer: Consumer): void {
    this.#consumers.add(consumer)
  }

  delete(consumer: Consumer): void {
    this.#consumers.delete(consumer)
  }

  stats(): RouterBytes {
    for (const consumer of this.#consumers) consumer.measure()
    return { ...this.#bytes, total: this.#total, limit: this.#limit }
  }

  readonly #check = (): void => {
    this.#timer = undefined
    const found = Array.from(this.#consumers, (consumer) => ({ consumer, bytes: consumer.measure() }))
    if (this.#total > this.#limit) {
      let excess = this.#total - this.#limit * (1 - FREED)
      const sum = found.reduce((bytes, each) => bytes + each.bytes, 0)
      found.sort((one, other) => other.bytes - one.bytes)
      for (const { consumer, bytes } of found) {
        if (excess <= 0 || bytes === 0) break
        // The excess is on its way from sessions that have ended, and will be gone soon: those that cost little stay.
        if (sum <= this.#limit && bytes < this.#limit * NEGLIGIBLE) break
        excess -= consumer.shed(excess, this.#limit)
      }
    }
    this.#alarm = Math.max(this.#limit, this.#total + this.#limit * SLACK)
  }
}

/** The bytes of one session. After `close` it is empty, and changes nothing any more. */
export class Account {
  #ledger: Ledger | undefined
  /** The greatest sum for which requests are accepted. */
  readonly limit: number
  #bytes = noBytes()
  #total = 0

  constructor(ledger: Ledger, limit: number) {
    this.#ledger = ledger
    this.limit = limit
  }

  get total(): number {
    return this.#total
  }

  /** True if the session may cost so many bytes more. */
  admits(bytes: number): boolean {
    return this.#total + bytes <= this.limit
  }

  /** Adds bytes, or removes them if negative. */
  charge(kind: ByteKind, bytes: number): void {
    if (!this.#ledger) return
    this.#total += bytes
    this.#bytes[kind] += bytes
    this.#ledger.change(kind, bytes)
  }

  /** Removes all bytes: the session has gone. */
  close(): void {
    for (const [kind, bytes] of Object.entries(this.#bytes)) this.#ledger?.change(kind as ByteKind, -bytes)
    this.#ledger = undefined
    this.#total = 0
    this.#bytes = noBytes()
  }

  /** The kind that costs the most, for people. */
  get mostly(): string {
    const [[kind] = ['sessions']] = Object.entries(this.#bytes).sort(([, one], [, other]) => other - one)
    return kind
  }
}
