/** What binds an authentication to a TLS connection of Node, the same at both of its ends. */

import type { AuthDialect, ChannelBinding } from '../auth/contract.ts'

/** The part of Node's TLSSocket that is used; absent on other sockets. */
export interface TlsLike {
  getProtocol?(): string | null
  exportKeyingMaterial?(length: number, label: string, context: Uint8Array): Uint8Array
  getFinished?(): Uint8Array | undefined
  getPeerFinished?(): Uint8Array | undefined
  isSessionReused?(): boolean
}

/** Undefined if the connection has no such binding. `server` is true at the end that accepted it. */
export function bindingOf(
  socket: TlsLike | undefined,
  type: ChannelBinding,
  dialect: AuthDialect | undefined,
  server = false,
): Uint8Array | undefined {
  if (!socket?.exportKeyingMaterial) return undefined
  const version = socket.getProtocol?.()
  // RFC 9266: undefined before TLS 1.3 unless the connection has the extended master secret, which Node does not reveal.
  if (type === 'tls-exporter' && version === 'TLSv1.3') {
    return new Uint8Array(socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', new Uint8Array()))
  }
  // RFC 5929: the first Finished message, which is the client's unless a session was resumed.
  if (type === 'tls-unique' && (version === 'TLSv1.2' || dialect) && !socket.isSessionReused?.()) {
    const finished = server ? socket.getPeerFinished?.() : socket.getFinished?.()
    return finished && new Uint8Array(finished)
  }
  return undefined
}
