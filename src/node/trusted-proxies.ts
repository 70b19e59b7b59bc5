/** The proxies whose `X-Forwarded-*` headers count: the other end of a request is then the client that they state. */

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { usage } from '../protocol/error.ts'
import type { OptionRule } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'

/** Addresses and ranges such as `10.0.0.0/8`; `loopback` is 127.0.0.0/8, ::1 and the peers of a socket file. */
export type TrustedProxyList = 'loopback' | readonly string[]

export const TRUSTED_PROXIES: OptionRule = [
  '"loopback" or a list of addresses and ranges such as 10.0.0.0/8',
  (value) => {
    if (value === 'loopback') return true
    if (!Array.isArray(value) || value.length === 0) return false
    for (const each of value) {
      if (each !== 'loopback' && !rangeOf(each))
        throw usage(
          `serve: trustedProxies has ${formatValue(each)}, which is not an address, a range such as 10.0.0.0/8 or "loopback"`,
        )
    }
    return true
  },
]

/** The other end of a request: of its socket, or of the client that a trusted proxy states. */
export interface OtherEnd {
  /** Undefined for the peer of a socket file. */
  readonly address: string | undefined
  /** Undefined if a proxy stated the address. */
  readonly port: number | undefined
  /** The host and port that the client asked for. */
  readonly host: string | undefined
  /** True if the client used TLS. */
  readonly secure: boolean
  /** True if a trusted proxy is in between: the TLS connection of the socket is then not the client's. */
  readonly forwarded: boolean
}

export interface Ends {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly encrypted?: boolean
}

export class TrustedProxies {
  // One for each family: to a list of both, ::/64 contains all IPv4 addresses.
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  readonly #socketFiles: boolean

  constructor(list: TrustedProxyList = []) {
    const items = list === 'loopback' ? [list] : list
    this.#socketFiles = items.includes('loopback')
    for (const item of items.flatMap((each) => (each === 'loopback' ? ['127.0.0.0/8', '::1'] : each))) {
      const { address, bits } = rangeOf(item) as Range
      const family = familyOf(address)
      this.#lists[family].addSubnet(address, bits, family)
    }
  }

  /** True for the address of a trusted proxy. */
  trusts(address: string): boolean {
    const family = familyOf(address)
    return this.#lists[family].check(address, family)
  }

  /** The other end of a request. A header that is malformed, or that comes from any other peer, is ignored. */
  otherEnd(socket: Duplex, { headers }: Pick<IncomingMessage, 'headers'>): OtherEnd {
    const ends = socket as Ends
    const address = plainAddress(ends.remoteAddress)
    const own = { address, port: ends.remotePort, host: headers.host, secure: ends.encrypted === true }
    const names = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'] as const
    if (!this.#isProxy(ends, address) || !names.some((name) => headers[name] !== undefined))
      return { ...own, forwarded: false }
    const [addresses, hosts, protocols] = names.map((name) => itemsOf(headers[name]))
    const { client, hops } = this.#client(addresses as string[])
    const scheme = atHop(protocols as string[], hops)?.toLowerCase() ?? ''
    const secure = SECURE.get(scheme) ?? own.secure
    return {
      address: client ?? own.address,
      port: client === undefined ? own.port : undefined,
      host: hostOf(atHop(hosts as string[], hops), secure) ?? own.host,
      secure,
      forwarded: true,
    }
  }

  #isProxy({ localAddress }: Ends, address: string | undefined): boolean {
    // The peer of a socket that has broken has no address either, but its own end has one.
    return address === undefined ? this.#socketFiles && localAddress === undefined : this.trusts(address)
  }

  /**
   * The right-most address that is not a trusted proxy's, because any peer can write what is left of it; the left-most one
   * if all are. `hops` is the number of entries up to it.
   */
  #client(entries: readonly string[]): { readonly client?: string; readonly hops: number } {
    for (let hops = 1; hops <= entries.length; hops++) {
      const client = addressIn(entries[entries.length - hops] as string)
      if (client === undefined) break
      if (hops === entries.length || !this.trusts(client)) return { client, hops }
    }
    return { hops: 1 }
  }
}

/** The schemes that proxies state; some name WebSockets. */
const SECURE = new Map([
  ['https', true],
  ['wss', true],
  ['http', false],
  ['ws', false],
])

/** Writes an IPv4 address that a socket for both families reports as `::ffff:192.0.2.1` as itself, without a zone. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

interface Range {
  readonly address: string
  readonly bits: number
}

function rangeOf(text: unknown): Range | undefined {
  if (typeof text !== 'string') return undefined
  const [, first = '', given] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = plainAddress(first) as string
  const longest = { 4: 32, 6: 128 }[isIP(address)]
  const bits = Number(given ?? longest)
  // A range of IPv4 addresses in the form of IPv6 has bits of the other family.
  const mixed = address !== first && given !== undefined
  return longest !== undefined && bits <= longest && !mixed ? { address, bits } : undefined
}

function itemsOf(header: string | readonly string[] | undefined): string[] {
  return header === undefined
    ? []
    : String(header)
        .split(',')
        .map((item) => item.trim())
}

/** The item of a list that the proxy of this hop has added; some replace the list instead. */
function atHop(items: readonly string[], hops: number): string | undefined {
  return items[Math.max(0, items.length - hops)]
}

/** The address in `192.0.2.1`, `192.0.2.1:5000`, `2001:db8::1` and `[2001:db8::1]:5000`. */
function addressIn(entry: string): string | undefined {
  const [, six, four] = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(entry) ?? []
  const address = plainAddress(six ?? four ?? entry) as string
  return isIP(address) ? address.toLowerCase() : undefined
}

/** Without the port that the scheme implies, as browsers write the origin of a page. */
function hostOf(text: string | undefined, secure: boolean): string | undefined {
  if (text === undefined || !/^[\w.-]+(:\d{1,5})?$|^\[[\da-f:.]+\](:\d{1,5})?$/i.test(text)) return undefined
  const url = `${secure ? 'https' : 'http'}://${text}`
  return URL.canParse(url) ? new URL(url).host : undefined
}
