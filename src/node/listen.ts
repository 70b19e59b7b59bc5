/** Opens a port or a socket file to listen on; the error of a failure names a remedy. */

import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WampError } from '../protocol/error.ts'
import { LISTEN_FAILED } from '../protocol/names.ts'

/** A port of an interface, or the path of a socket file. */
export type ListenAddress = { readonly port: number; readonly host: string } | { readonly path: string }

/** The system would silently cut a longer path. Windows has no such limit. */
const LONGEST_PATH = { linux: 107, win32: Number.POSITIVE_INFINITY }[process.platform as string] ?? 103

export async function listenOn(server: Server, place: ListenAddress): Promise<void> {
  if ('path' in place && Buffer.byteLength(place.path) > LONGEST_PATH)
    throw failed(new Error(`the path may have at most ${LONGEST_PATH} bytes`), place)
  try {
    await listening(server, place)
  } catch (error) {
    // A process that was killed leaves its socket file behind.
    if (!('path' in place) || systemErrorCode(error) !== 'EADDRINUSE' || !(await isAbandoned(place.path)))
      throw failed(error, place)
    await unlink(place.path)
    await listening(server, place).catch((again) => {
      throw failed(again, place)
    })
  }
  // A connection that could not be accepted does not concern the router.
  server.on('error', () => {})
}

function listening(server: Server, place: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    try {
      server.listen(place, () => {
        server.off('error', reject)
        resolve()
      })
    } catch (error) {
      server.off('error', reject)
      reject(error)
    }
  })
}

async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error) => resolve(systemErrorCode(error) === 'ECONNREFUSED'))
  })
}

function failed(error: unknown, place: ListenAddress): WampError {
  return new WampError(LISTEN_FAILED, [whyNot(error as Error, place)], {}, { cause: error })
}

function systemErrorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function whyNot(error: Error, place: ListenAddress): string {
  if ('path' in place) {
    return systemErrorCode(error) === 'EADDRINUSE'
      ? `${place.path} is in use: stop the process that listens there, or choose another path`
      : `cannot listen on ${place.path}: ${error.message}`
  }
  const { port, host } = place
  switch (systemErrorCode(error)) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop the process that listens there, or choose another port (0 picks a free one)`
    case 'EACCES':
      return `port ${port} on ${host} may not be opened by this user: choose one of 1024 or above`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface`
    default:
      return `cannot listen on port ${port} of ${host}: ${error.message}`
  }
}

/** The address of a server for clients on this machine, kept after it was closed; port 0 if it does not listen yet. */
export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  let last = { host: 'localhost', port: 0 }
  const now = (): typeof last => {
    const address = server.address()
    if (typeof address === 'object' && address) last = { host: hostOf(address), port: address.port }
    return last
  }
  now()
  return {
    get host() {
      return now().host
    },
    get port() {
      return now().port
    },
  }
}

/** True for a server that other machines may reach. */
export function isExposed(server: Server): boolean {
  const address = server.address()
  return typeof address === 'object' && address !== null && !isLoopback(address.address)
}

/** True for 127.0.0.0/8 and ::1, which no other machine reaches. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

const warned = new WeakSet<Server>()

/** Warns once of a server that lets every peer that reaches it act without a login. */
export function warnIfOpen(
  server: Server,
  router: { readonly authenticates?: boolean },
  exposed = isExposed(server),
): void {
  if (router.authenticates !== false || !exposed || warned.has(server)) return
  warned.add(server)
  const place = server.address() as AddressInfo | string
  const at =
    typeof place === 'string'
      ? place
      : `${place.family === 'IPv6' ? `[${place.address}]` : place.address}:${place.port}`
  console.warn(
    `the router at ${at} has no authentication: whoever reaches it may join; ` +
      'set its option auth (to [anonymousAuth()] if that is intended)',
  )
}

/** Replaces the address of all interfaces, to which clients cannot connect. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === '::') return 'localhost'
  if (address === '0.0.0.0') return '127.0.0.1'
  return family === 'IPv6' ? `[${address}]` : address
}

/** Resolves when a socket has closed. */
export function closeOf(socket: Duplex): Promise<unknown> {
  return new Promise((resolve) => socket.on('close', resolve))
}

/** All sockets of a server, including silent ones, for which `server.close` would wait. */
export function socketsOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}
