/** What is told of a connection that came over a network: who may read it is not known here, so nothing secret. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TransportInfo } from '../session/link.ts'

/** A client may say as much as it likes in a header, and every session that watches is told. */
const MAX_HEADER_TEXT = 256

/** `request` is the one that opened it, where HTTP was spoken: of its headers two are told, and never a cookie. */
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

/** As Crossbar.io writes it; the other end of a socket file has no address. */
function peerOf({ remoteAddress, remotePort }: Ends): string | undefined {
  if (remoteAddress === undefined) return undefined
  const [, four] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(remoteAddress) ?? []
  return four ? `tcp4:${four}:${remotePort}` : `tcp6:[${remoteAddress}]:${remotePort}`
}
