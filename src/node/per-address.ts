/** The connections of each address, within a limit. */

import { networkOf } from '../protocol/network.ts'

/** Counts by network: see `networkOf`. */
export class PerAddress {
  readonly #limit: number
  readonly #isExempt: (address: string) => boolean
  readonly #what: string
  readonly #counts = new Map<string, number>()
  readonly #networks = new Map<object, string>()

  constructor(limit: number, isExempt: (address: string) => boolean, what = 'connections') {
    this.#what = what
    this.#limit = limit
    this.#isExempt = isExempt
  }

  /** The reason of a refusal. */
  get reason(): string {
    return `the limit of ${this.#limit} ${this.#what} of one address is reached`
  }

  /** Takes a place for a connection that has none yet; false if its address has none left. */
  enter(connection: object, address: string | undefined): boolean {
    if (this.#limit === Number.POSITIVE_INFINITY || address === undefined || this.#networks.has(connection)) return true
    if (this.#isExempt(address)) return true
    const network = networkOf(address)
    const count = this.#counts.get(network) ?? 0
    if (count >= this.#limit) return false
    this.#counts.set(network, count + 1)
    this.#networks.set(connection, network)
    return true
  }

  /** Connections that send requests, of which a client that polls has several, and a browser six for one host. */
  ofRequests(): PerAddress {
    return new PerAddress(6 * this.#limit, this.#isExempt, 'connections with requests')
  }

  leave(connection: object): void {
    const network = this.#networks.get(connection)
    if (network === undefined) return
    this.#networks.delete(connection)
    const left = (this.#counts.get(network) ?? 1) - 1
    if (left > 0) this.#counts.set(network, left)
    else this.#counts.delete(network)
  }
}
