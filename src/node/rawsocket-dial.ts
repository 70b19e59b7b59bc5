/** Dials a router over RawSocket: TCP, TLS, or a unix socket. */

import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { usage, WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED } from '../protocol/names.ts'
import { checkRules, LIMIT, type OptionRules } from '../protocol/option-rules.ts'
import { failureText } from '../transport/failure-text.ts'
import type { Dial, Transport } from '../transport/transport.ts'
import { withoutSecrets } from '../transport/url.ts'
import { fourOctets, greeting, limitOf, numberOf, readReply } from './rawsocket-handshake.ts'
import { RawSocket } from './rawsocket-transport.ts'
import { type DialOptions, TLS_RULES } from './websocket-dial.ts'

export interface RawSocketDialOptions
  extends Pick<
    DialOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  > {
  /** The greatest length of an incoming message, in bytes, rounded down to a power of two: 16 MiB, the maximum, by default. */
  readonly maxPayload?: number | undefined
}

const RAW_SOCKET_DIAL_RULES: OptionRules<RawSocketDialOptions> = { ...TLS_RULES, maxPayload: LIMIT }

type RawSocketAddress =
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls: boolean }

/**
 * A dial for the option `dial` of a WampRouter, for `rs://host:port`, `rss://host:port` (TLS) and `unix:/path`. The
 * client's serializers are requested one after the other.
 *
 * @example
 * new WampRouter({ url: 'rs://localhost:8080', dial: rawSocketDial() })
 */
export function rawSocketDial(options: RawSocketDialOptions = {}): Dial {
  checkRules('rawSocketDial', options, RAW_SOCKET_DIAL_RULES)
  return async (url, protocols, signal) => {
    const target = parseAddress(url)
    let refusal: unknown = usage(`RawSocket supports none of the offered subprotocols: ${protocols.join(', ')}`)
    for (const protocol of protocols) {
      const serializer = numberOf(protocol)
      if (serializer === undefined) continue
      try {
        return await handshake(url, target, protocol, serializer, options, signal)
      } catch (error) {
        if (!(error instanceof RefusedHandshake)) throw error
        refusal = error.failure
      }
    }
    throw refusal
  }
}

/** The router refused this serializer; it may accept another. */
class RefusedHandshake extends Error {
  readonly failure: WampError

  constructor(failure: WampError) {
    super()
    this.failure = failure
  }
}

function parseAddress(url: string): RawSocketAddress {
  const path = /^unix:(?:\/\/)?(\/.*)$/i.exec(url)?.[1]
  if (path !== undefined) return { path }
  const [, scheme, name, bracketed, port] = /^(rss?):\/\/(?:([^/:?#\s[\]]+)|\[([^\]\s]+)\]):(\d+)\/?$/i.exec(url) ?? []
  const host = name ?? bracketed
  if (host === undefined || scheme === undefined || Number(port) > 65_535) {
    throw usage(
      `"${withoutSecrets(url)}" is not a valid RawSocket address: expected rs://host:port, rss:// or unix:/path`,
    )
  }
  return { host, port: Number(port), tls: scheme.toLowerCase() === 'rss' }
}

function openSocket(target: RawSocketAddress, options: RawSocketDialOptions): { socket: Socket; ready: string } {
  if ('path' in target) return { socket: connect(target.path), ready: 'connect' }
  const { host, port, tls } = target
  const tcp = connect({ host, port, noDelay: true })
  if (!tls) return { socket: tcp, ready: 'connect' }
  const { maxPayload: _, ...given } = options
  const trust = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  // The name for the certificate; an IP address is not allowed there.
  const named = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  return { socket: connectSecurely({ ...named, ...trust, host, socket: tcp }), ready: 'secureConnect' }
}

function handshake(
  url: string,
  target: RawSocketAddress,
  protocol: string,
  serializer: number,
  options: RawSocketDialOptions,
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const ours = limitOf(options.maxPayload ?? 2 ** 24)
    const { socket, ready } = openSocket(target, options)
    const abandon = (error: unknown): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      reject(error)
    }
    const failed = (reason: string, cause?: unknown): WampError =>
      new WampError(
        CONNECTION_FAILED,
        [`could not connect to ${withoutSecrets(url)}: ${reason}`],
        {},
        cause === undefined ? {} : { cause },
      )
    const abort = (): void => abandon(signal.reason)
    const broke = (error: Error): void => abandon(failed(dialFailure(error), error))
    const closed = (): void => {
      const withTls = 'tls' in target ? `, ${target.tls ? 'with' : 'without'} TLS` : ''
      abandon(failed(`the connection was closed before the handshake; does the server speak RawSocket${withTls}?`))
    }
    signal.addEventListener('abort', abort)
    socket.on('error', broke)
    socket.on('end', closed)
    socket.on('close', closed)
    socket.once(ready, () => {
      socket.write(greeting({ limit: ours, serializer }))
      fourOctets(socket, Buffer.alloc(0), (octets, rest) => {
        const theirs = readReply(octets, serializer)
        if (typeof theirs === 'string') return abandon(new RefusedHandshake(failed(theirs)))
        signal.removeEventListener('abort', abort)
        socket.off('end', closed)
        socket.off('close', closed)
        const transport = new RawSocket(socket, { protocol, ours, theirs }, rest)
        // Only now: the transport has its own listeners.
        socket.off('error', broke)
        resolve(transport)
        socket.resume()
      })
    })
  })
}

function dialFailure(error: Error): string {
  const text = failureText(error)
  return /ECONNREFUSED|ENOENT|ENOTFOUND/.test(text) ? `${text}; is a router listening there?` : text
}
