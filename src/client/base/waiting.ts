/** Waiting: a promise with its two ends, and the signal and timeout that end a wait. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { WampError } from '../../protocol/error.ts'
import { CANCELED, TIMEOUT } from '../../protocol/names.ts'

/** The options of every operation that waits. */
export interface Waiting {
  /** Ends the wait with `wamp.error.canceled`; a later answer is ignored. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the wait ends with `wamp.error.timeout`; 0 or undefined for no limit. */
  readonly timeout?: number | undefined
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** The error of a wait that its signal ended. */
export function canceled(signal: AbortSignal, sent: boolean): WampError {
  return new WampError(CANCELED, ['canceled by its signal'], {}, { cause: signal.reason, sent })
}

/** Calls `giveUp` when the signal aborts or the time has passed; the returned function releases both. */
export function limit({ signal, timeout }: Waiting, sent: boolean, giveUp: (error: WampError) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const release = () => {
    signal?.removeEventListener('abort', abort)
    clearTimeout(timer)
  }
  const end = (error: WampError) => {
    release()
    giveUp(error)
  }
  const abort = () => end(canceled(signal as AbortSignal, sent))
  if (timeout) {
    const late = () => end(new WampError(TIMEOUT, [`no answer within ${timeout} ms`], {}, { sent }))
    const wait = (left: number) => {
      timer = setTimeout(
        () => (left > LONGEST_TIMER ? wait(left - LONGEST_TIMER) : late()),
        Math.min(left, LONGEST_TIMER),
      )
    }
    wait(timeout)
  }
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort)
  return release
}

/** Waits for a promise within a limit; a later value is passed to `late`. */
export function within<T>(promise: Promise<T>, waiting: Waiting, late: (value: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false
    const release = limit(waiting, false, (error) => {
      over = true
      reject(error)
    })
    promise.then(
      (value) => {
        release()
        if (over) late(value)
        else resolve(value)
      },
      (error) => {
        release()
        reject(error)
      },
    )
  })
}

/** True for a promise of any library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
