/** Describes a network connection. Any session of the realm may read it, so it contains no secrets. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { ClientCertificate, ConnectionFacts } from '../auth/contract.ts'
import type { TransportInfo } from '../session/link.ts'
import { bindingOf, type TlsLike } from '../transport/tls-binding.ts'
import { isAllowedOrigin, type Origins } from './http-server.ts'

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

/** The private facts about a connection, for authentication. */
export function factsOf(socket: Duplex, request?: IncomingMessage): ConnectionFacts {
  const { remoteAddress } = socket as Ends
  return {
    address: remoteAddress?.replace(/^::ffff:(?=\d+\.)/, ''),
    cookies: cookiesOf(request?.headers.cookie),
    certificate: certificateOf(socket as TLSSocket),
    channelBinding: (type, dialect) => bindingOf(socket as TlsLike, type, dialect, true),
  }
}

/** Parses a Cookie header (RFC 6265, section 4.2.1); of cookies with the same name the first counts. */
function cookiesOf(header: string | undefined): Record<string, string> | undefined {
  if (header === undefined) return undefined
  const cookies: Record<string, string> = Object.create(null)
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    if (at > 0 && !(name in cookies))
      cookies[name] = pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
  }
  return cookies
}

function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  if (!socket.authorized || !socket.getPeerCertificate) return undefined
  const { subject, issuer, fingerprint256, serialNumber } = socket.getPeerCertificate() as DetailedPeerCertificate
  if (!fingerprint256) return undefined
  return {
    subject: { ...(subject as unknown as ClientCertificate['subject']) },
    issuer: { ...(issuer as unknown as ClientCertificate['issuer']) },
    fingerprint: fingerprint256,
    serialNumber,
  }
}

/** Issues the cookie of a new connection. */
export interface CookieIssuer {
  issue(facts: ConnectionFacts, secure: boolean): { readonly facts: ConnectionFacts; readonly header: string }
}

/** The facts about a connection by HTTP, and the cookie for it, if there is an issuer. */
export function knownTo(
  issuer: CookieIssuer | undefined,
  socket: Duplex,
  request: IncomingMessage,
  origins: Origins | undefined,
): { readonly facts: ConnectionFacts; readonly header?: string } {
  const facts = factsOf(socket, request)
  // A browser sends its cookies for every page: one that is accepted because all are must not act with them.
  const listed = origins === '*' || origins === undefined ? [] : origins
  if (!isAllowedOrigin(request, listed)) return { facts: { ...facts, cookies: undefined } }
  return issuer ? issuer.issue(facts, 'encrypted' in socket && socket.encrypted === true) : { facts }
}
