/** Opens a port or a socket file to listen on, and says what to do where that fails. */

import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { WampError } from '../protocol/error.ts'
import { LISTEN_FAILED } from '../protocol/names.ts'

/** A port of an interface, or the path of a socket file. */
export type ListenAddress = { readonly port: number; readonly host: string } | { readonly path: string }

/** What is longer the system would cut without a word. Windows knows no such limit. */
const LONGEST_PATH = { linux: 107, win32: Number.POSITIVE_INFINITY }[process.platform as string] ?? 103

export async function listenOn(server: Server, place: ListenAddress): Promise<void> {
  if ('path' in place && Buffer.byteLength(place.path) > LONGEST_PATH)
    throw failed(new Error(`it may have ${LONGEST_PATH} bytes`), place)
  try {
    await listening(server, place)
  } catch (error) {
    // A process that was killed leaves its socket file behind.
    if (!('path' in place) || codeOf(error) !== 'EADDRINUSE' || !(await isAbandoned(place.path)))
      throw failed(error, place)
    await unlink(place.path)
    await listening(server, place).catch((again) => {
      throw failed(again, place)
    })
  }
  // A connection that could not be accepted is its own trouble, not the router's.
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
    probe.on('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'))
  })
}

function failed(error: unknown, place: ListenAddress): WampError {
  return new WampError(LISTEN_FAILED, [whyNot(error as Error, place)], {}, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function whyNot(error: Error, place: ListenAddress): string {
  if ('path' in place) {
    return codeOf(error) === 'EADDRINUSE'
      ? `${place.path} is in use: stop what listens there, or choose another path`
      : `cannot listen on ${place.path}: ${error.message}`
  }
  const { port, host } = place
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or choose another port (0 picks a free one)`
    case 'EACCES':
      return `port ${port} on ${host} may not be opened by this user: choose one from 1024 on`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface`
    default:
      return `cannot listen on port ${port} of ${host}: ${error.message}`
  }
}

/** Where clients on this machine reach a server, or reached it before it was closed; port 0 where it does not listen yet. */
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

/** An address that stands for every interface is none to connect to. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === '::') return 'localhost'
  if (address === '0.0.0.0') return '127.0.0.1'
  return family === 'IPv6' ? `[${address}]` : address
}

/** The sockets of a server, those too that never say anything, which `server.close` would wait for. */
export function socketsOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}
