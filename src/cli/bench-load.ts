/** The load of a benchmark: an operation repeated after a warm-up, with latencies that no slow answer can hide. */

import { WampError } from '../protocol/error.ts'
import { Latencies, type LatencySummary } from './latencies.ts'
import { MOST_URIS } from './load.ts'

export interface BenchPlan {
  /** The number of operations in progress at once. */
  readonly concurrency: number
  /** Ends after this number of measured operations; undefined for no bound. */
  readonly count: number | undefined
  /** Ends after this number of milliseconds of measuring; undefined for no bound. */
  readonly duration: number | undefined
  /** Operations per second; undefined for as many as possible. */
  readonly rate: number | undefined
  /** Milliseconds during which operations are not measured. */
  readonly warmUp: number
  readonly signal: AbortSignal
}

export interface BenchResult {
  readonly ok: number
  readonly failed: number
  /** The failed ones by their error URI. */
  readonly errors: Readonly<Record<string, number>>
  readonly seconds: number
  /** Operations that succeeded, per second. */
  readonly perSecond: number
  /** Of the operations that succeeded. */
  readonly latency?: LatencySummary
  /** True if a signal ended it early. */
  readonly interrupted: boolean
}

/** A load in progress. Operations of the warm-up, and those that the end interrupts, are not counted. */
export class BenchLoad {
  readonly #options: BenchPlan
  readonly #operation: (slot: number) => Promise<void>
  readonly latencies = new Latencies()
  readonly errors = new Map<string, number>()
  #ok = 0
  #failed = 0
  /** When measuring began and ended, in milliseconds of `performance.now()`. */
  #began: number | undefined
  #ended: number | undefined

  /** `operation` is one repetition, in one of `concurrency` slots. */
  constructor(options: BenchPlan, operation: (slot: number) => Promise<void>) {
    this.#options = options
    this.#operation = operation
  }

  get ok(): number {
    return this.#ok
  }

  get isMeasuring(): boolean {
    return this.#began !== undefined
  }

  /** Seconds of measuring so far. */
  get seconds(): number {
    return this.#began === undefined ? 0 : ((this.#ended ?? performance.now()) - this.#began) / 1000
  }

  /** The share that is done, from 0 to 1. */
  get progress(): number {
    const { count, duration } = this.#options
    const byCount = count === undefined ? 0 : (this.#ok + this.#failed) / count
    return Math.min(1, Math.max(byCount, duration === undefined ? 0 : (this.seconds * 1000) / duration))
  }

  /** Resolves when the count, the time or the signal ends the load. Never rejects. */
  async run(): Promise<BenchResult> {
    const { concurrency, warmUp, duration, signal } = this.#options
    const start = performance.now()
    let over!: () => void
    const end = new Promise<void>((resolve) => {
      over = resolve
    })
    const timers: NodeJS.Timeout[] = []
    const measure = (): void => {
      if (signal.aborted) return
      this.#began = performance.now()
      if (duration !== undefined) timers.push(setTimeout(over, duration))
    }
    if (warmUp > 0) timers.push(setTimeout(measure, warmUp))
    else measure()
    signal.addEventListener('abort', over, { once: true })
    if (signal.aborted) over()
    const pace = this.#pace(start)
    const slots = Array.from({ length: concurrency }, (_, slot) => this.#repeat(slot, pace))
    // Operations in progress at the end are left to themselves: their results count for nothing.
    await Promise.race([end, Promise.all(slots)])
    this.#ended = performance.now()
    signal.removeEventListener('abort', over)
    timers.forEach(clearTimeout)
    return this.summary()
  }

  summary(): BenchResult {
    const { seconds } = this
    const latency = this.latencies.summary()
    return {
      ok: this.#ok,
      failed: this.#failed,
      errors: Object.fromEntries([...this.errors].sort(([, one], [, other]) => other - one)),
      seconds: Math.round(seconds * 1000) / 1000,
      perSecond: seconds > 0 ? Math.round((this.#ok / seconds) * 10) / 10 : 0,
      ...(latency && { latency }),
      interrupted: this.#options.signal.aborted,
    }
  }

  get #isOver(): boolean {
    const { count, signal } = this.#options
    return this.#ended !== undefined || signal.aborted || (count !== undefined && this.#begun >= count)
  }

  /** Measured operations that have begun. */
  #begun = 0

  async #repeat(slot: number, pace: () => Promise<number>): Promise<void> {
    while (!this.#isOver) {
      // The time when it was due: an operation that has to wait for a slow one was late for whoever wanted it.
      const due = await pace()
      if (this.#isOver) return
      const measured = this.isMeasuring
      if (measured) this.#begun++
      let failure: unknown
      try {
        await this.#operation(slot)
      } catch (error) {
        failure = error
        // A failure that needs no answer of the router must not keep timers and signals from their turn.
        await new Promise(setImmediate)
      }
      if (!measured || this.#ended !== undefined) continue
      if (failure === undefined) {
        this.latencies.add(performance.now() - due)
        this.#ok++
      } else {
        const uri = WampError.is(failure) ? failure.uri : String(failure)
        const name = this.errors.has(uri) || this.errors.size < MOST_URIS ? uri : 'others'
        this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
        this.#failed++
      }
    }
  }

  /** Returns a function that resolves when the next operation is due, to that time. */
  #pace(start: number): () => Promise<number> {
    const { rate } = this.#options
    if (rate === undefined) return () => Promise.resolve(performance.now())
    let next = start
    return async () => {
      const due = next
      next += 1000 / rate
      const wait = due - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      return due
    }
  }
}
