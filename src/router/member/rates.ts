/** Rates of messages and bytes by role: beyond them, the connection of a session is not read, and nothing is dropped. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { usage } from '../../protocol/error.ts'
import { dictOf, LIMIT, type OptionRule } from '../../protocol/option-rules.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Link } from '../../session/link.ts'

/** The rate of each session of a role. */
export interface RoleRate {
  /** `*` is every role without a rate of its own. */
  readonly role: string
  /** Messages per second; any number by default. */
  readonly messages?: number | undefined
  /** Bytes of messages per second, for text its characters; any number by default. */
  readonly bytes?: number | undefined
  /** Seconds of the rate that may come at once, after as long a silence. Default 1. */
  readonly burst?: number | undefined
}

export type Rates = ReadonlyMap<string, RoleRate>

const RATE = dictOf<RoleRate>('rates', {
  role: ['the name of a role, or *', (value) => typeof value === 'string' && value !== '', 'string'],
  messages: LIMIT,
  bytes: LIMIT,
  burst: LIMIT,
})

/** True for a list of rates. @throws WampError `wampy.error.usage` for an item that is not a rate */
export function isRateList(list: unknown): list is readonly RoleRate[] {
  if (!Array.isArray(list) || !list.every(RATE[1])) return false
  for (const { role, messages, bytes } of list as readonly RoleRate[]) {
    if (role === undefined) throw usage('rates: a rate needs a role, or * for every other one')
    if (messages === undefined && bytes === undefined)
      throw usage(`rates: the rate of role ${formatValue(role)} needs messages or bytes`)
    if (list.filter((other: RoleRate) => other.role === role).length > 1)
      throw usage(`rates has two rates of role ${formatValue(role)}`)
  }
  return true
}

export const RATES_EXPECTED: OptionRule[0] =
  'a list such as [{ role: "guest", messages: 100 }], or a dictionary of such lists by realm'

/** Pauses the reading of a link for several reasons, until none is left. */
export class Reading {
  readonly #link: Link
  #reasons = 0

  constructor(link: Link) {
    this.#link = link
  }

  pause(): void {
    if (this.#reasons++ === 0) this.#link.pause?.()
  }

  resume(): void {
    if (--this.#reasons === 0) this.#link.resume?.()
  }
}

/** What is left of one rate. What was read before a pause is handled, and is a debt that the pause lasts for. */
class Allowance {
  readonly #rate: number
  readonly #most: number
  #left: number

  constructor(rate: number | undefined, burst: number) {
    this.#rate = (rate ?? Number.POSITIVE_INFINITY) / 1000
    this.#most = this.#rate * 1000 * burst
    this.#left = this.#most
  }

  spend(amount: number): void {
    this.#left -= amount
  }

  refill(milliseconds: number): void {
    // No time at an unlimited rate is not a number.
    if (milliseconds > 0) this.#left = Math.min(this.#most, this.#left + milliseconds * this.#rate)
  }

  /** Milliseconds until the debt is paid. */
  get debt(): number {
    return this.#left < 0 ? -this.#left / this.#rate : 0
  }
}

/** Holds one session to a rate. */
export class Throttle {
  readonly #messages: Allowance
  readonly #bytes: Allowance
  readonly #reading: Reading
  readonly #onPause: () => void
  #last = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ messages, bytes, burst = 1 }: RoleRate, reading: Reading, onPause: () => void) {
    this.#messages = new Allowance(messages, burst)
    this.#bytes = new Allowance(bytes, burst)
    this.#reading = reading
    this.#onPause = onPause
  }

  /** True while the connection is not read. */
  get paused(): boolean {
    return this.#timer !== undefined
  }

  /** A message has come. */
  received(length: number): void {
    this.#refill()
    this.#messages.spend(1)
    this.#bytes.spend(length)
    if (this.paused || this.#debt === 0) return
    this.#reading.pause()
    this.#onPause()
    this.#wait()
  }

  /** The session has ended: its connection is read again. */
  stop(): void {
    if (!this.paused) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#reading.resume()
  }

  get #debt(): number {
    return Math.max(this.#messages.debt, this.#bytes.debt)
  }

  #refill(): void {
    const now = performance.now()
    this.#messages.refill(now - this.#last)
    this.#bytes.refill(now - this.#last)
    this.#last = now
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.#refill()
        if (this.#debt > 0) this.#wait()
        else this.stop()
      },
      Math.min(Math.ceil(this.#debt), LONGEST_TIMER),
    )
  }
}
