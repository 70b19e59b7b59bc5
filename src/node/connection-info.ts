/** Describes a network connection. Any session of the realm may read it, so it contains no secrets. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TransportInfo } from '../session/link.ts'

/** The greatest length of a header's value: it goes to every session that subscribes to meta events. */
const MAX_HEADER_TEXT = 256

/** `request` is the HTTP request that opened it, if any. Only two of its headers are included, never a cookie. */
export function infoOf(type: string, protocol: string, socket: Duplex, request?: IncomingMessage): TransportInfo {
  const { getProtocol } = socket as { getProtocol?: () => string | null }
  return {
    type,
    protocol,
    peer: peerOf(socket as Ends),
    tls: getProtocol?.call(socket) ?? undefined,
    origin: request?.headers.origin?.slice(0, MAX_HEADER_TEXT),
    user_agent: request?.headers['user-agent']?.slice(0, MAX_HEADER_TEXT),
  }
}

interface Ends {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** Formats an address as Crossbar.io does; the peer of a socket file has none. */
function peerOf({ remoteAddress, remotePort }: Ends): string | undefined {
  if (remoteAddress === undefined) return undefined
  const [, four] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(remoteAddress) ?? []
  return four ? `tcp4:${four}:${remotePort}` : `tcp6:[${remoteAddress}]:${remotePort}`
}
