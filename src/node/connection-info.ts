/** Describes a network connection. Any session of the realm may read it, so it contains no secrets. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { ClientCertificate, ConnectionFacts } from '../auth/contract.ts'
import { MAX_HEADER_TEXT } from '../protocol/fixed-limits.ts'
import type { TransportInfo } from '../session/link.ts'
import { bindingOf, type TlsLike } from '../transport/tls-binding.ts'
import { isAllowedOrigin, type Origins } from './http-server.ts'
import { type Ends, type OtherEnd, plainAddress } from './trusted-proxies.ts'

/** A connection without HTTP. */
export function socketInfo(type: string, protocol: string, socket: Duplex): TransportInfo {
  const { remoteAddress, remotePort } = socket as Ends
  return { type, protocol, peer: peerOf(plainAddress(remoteAddress), remotePort), tls: versionOfTls(socket) }
}

/** A connection by an HTTP request, of which only two headers are included, never a cookie. */
export function requestInfo(
  type: string,
  protocol: string,
  { socket, headers }: IncomingMessage,
  { address, port, secure, forwarded }: OtherEnd,
): TransportInfo {
  return {
    type,
    protocol,
    peer: peerOf(address, port),
    tls: forwarded ? (secure ? 'proxy' : undefined) : versionOfTls(socket),
    origin: headers.origin?.slice(0, MAX_HEADER_TEXT),
    user_agent: headers['user-agent']?.slice(0, MAX_HEADER_TEXT),
  }
}

function versionOfTls(socket: Duplex): string | undefined {
  const { getProtocol } = socket as { getProtocol?: () => string | null }
  return getProtocol?.call(socket) ?? undefined
}

/** Formats an address as Crossbar.io does; the peer of a socket file has none, and a proxy states no port. */
function peerOf(address: string | undefined, port: number | undefined): string | undefined {
  if (address === undefined) return undefined
  return `${address.includes(':') ? `tcp6:[${address}]` : `tcp4:${address}`}${port === undefined ? '' : `:${port}`}`
}

/** The private facts about a connection, for authentication. */
export function factsOf(socket: Duplex): ConnectionFacts {
  return {
    address: plainAddress((socket as Ends).remoteAddress),
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
  request: IncomingMessage,
  { address, host, secure, forwarded }: OtherEnd,
  origins: Origins | undefined,
): { readonly facts: ConnectionFacts; readonly header?: string } {
  const cookies = cookiesOf(request.headers.cookie)
  // Behind a proxy the certificate and the binding of the socket are the proxy's, which must not log its clients in.
  const facts: ConnectionFacts = forwarded ? { address, cookies } : { ...factsOf(request.socket), cookies }
  // A browser sends its cookies for every page: one that is accepted because all are must not act with them.
  const listed = origins === '*' || origins === undefined ? [] : origins
  if (!isAllowedOrigin(request.headers.origin, host, listed)) return { facts: { ...facts, cookies: undefined } }
  return issuer ? issuer.issue(facts, secure) : { facts }
}
