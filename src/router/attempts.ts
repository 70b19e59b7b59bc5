/** Failed logins by address and by authid, which slow down whoever guesses secrets. */

import { MOST_TRACKED } from '../protocol/fixed-limits.ts'
import { networkOf } from '../protocol/network.ts'

/** How failed logins are slowed down. */
export interface LoginLimits {
  /** Failures without a consequence. Default 5. */
  readonly free?: number | undefined
  /** Milliseconds for the first failure beyond them; each further failure doubles it. Default 250. */
  readonly delay?: number | undefined
  /** The greatest delay of a refusal in milliseconds. Default 5,000. */
  readonly maxDelay?: number | undefined
  /**
   * The longest time in milliseconds for which an address is refused without a look at its credentials. Default 60,000.
   * Loopback addresses are only delayed: everybody behind a proxy on this machine has the same one, unless
   * the option `trustedProxies` of `serve` lists it.
   */
  readonly maxLock?: number | undefined
}

export const LOGIN_LIMITS: { readonly [Name in keyof Required<LoginLimits>]: number } = {
  free: 5,
  delay: 250,
  maxDelay: 5000,
  maxLock: 60_000,
}

/** Milliseconds without a failure after which earlier ones are forgotten. */
const MEMORY = 10 * 60_000
/** Longer authids are remembered by their beginning. */
const AUTHID_LENGTH = 128

interface Failures {
  count: number
  last: number
}

const LOOPBACK = /^(127\.|::1$)/

export class LoginAttempts {
  readonly #limits: typeof LOGIN_LIMITS
  readonly #addresses = new Map<string, Failures>()
  readonly #authids = new Map<string, Failures>()

  constructor(limits: LoginLimits) {
    const given = Object.entries(limits).filter(([, value]) => value !== undefined)
    this.#limits = { ...LOGIN_LIMITS, ...Object.fromEntries(given) }
  }

  /** Milliseconds for which an address must wait before its next attempt; 0 if it may try now. */
  locked(address: string | undefined): number {
    if (address === undefined || LOOPBACK.test(address)) return 0
    const failures = this.#find(this.#addresses, networkOf(address))
    if (!failures) return 0
    return Math.max(0, failures.last + this.#penalty(failures.count, this.#limits.maxLock) - performance.now())
  }

  /** Counts a failure; returns the milliseconds by which its refusal is delayed. */
  failed(address: string | undefined, authid: string | undefined): number {
    const counts = [
      address === undefined ? 0 : this.#count(this.#addresses, networkOf(address)),
      authid === undefined ? 0 : this.#count(this.#authids, authid.slice(0, AUTHID_LENGTH)),
    ]
    return this.#penalty(Math.max(...counts), this.#limits.maxDelay)
  }

  #penalty(count: number, most: number): number {
    const { free, delay } = this.#limits
    return count > free ? Math.min(most, delay * 2 ** (count - free - 1)) : 0
  }

  #find(table: Map<string, Failures>, key: string): Failures | undefined {
    const found = table.get(key)
    if (found && performance.now() - found.last > MEMORY) {
      table.delete(key)
      return undefined
    }
    return found
  }

  #count(table: Map<string, Failures>, key: string): number {
    const count = (this.#find(table, key)?.count ?? 0) + 1
    // Moves it to the end, as the latest.
    table.delete(key)
    table.set(key, { count, last: performance.now() })
    if (table.size > MOST_TRACKED) table.delete(table.keys().next().value as string)
    return count
  }
}
