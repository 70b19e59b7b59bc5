/** The demo's Node side: an embedded router, a date service, a clock and the pages, all on one port. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { Clock } from './clock.ts'
import { Control } from './control.ts'
import { DateService } from './date-service.ts'
import { files } from './files.ts'

const DEFAULT_PORT = 8000

/** How many ports to try if none was chosen. */
const ATTEMPTS = 20

try {
  await main()
} catch (error) {
  console.error(`wampy-ts demo: ${(error as Error).message}`)
  process.exit(1)
}

async function main(): Promise<void> {
  const { ports, host } = settings()
  const router = new Router()
  const service = new DateService({ router })
  const clock = new Clock({ router })
  const control = new Control({ router }, { service, router })
  await Promise.all([service.start(), clock.start(), control.start()])

  const server = createServer(files(fileURLToPath(new URL('site', import.meta.url))))
  const served = await serve(router, { server })
  await listen(server, ports, host)
  const { address, port: bound, family } = server.address() as AddressInfo
  const reached = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  console.log(`wampy-ts demo on http://${reached}:${bound}/`)

  const stop = async (): Promise<void> => {
    // A second signal ends the process at once.
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
    server.close()
    await clock.stop()
    await router.close()
    await served.close()
    await Promise.all([service.stop(), control.stop()])
    server.closeAllConnections()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop())
}

interface Settings {
  /** The ports to try, in this order. */
  readonly ports: readonly number[]
  readonly host: string
}

function settings(): Settings {
  const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } })
  const host = values.host ?? (process.env['HOST'] || '127.0.0.1')
  const given = values.port ?? (process.env['PORT'] || undefined)
  if (given === undefined) return { ports: Array.from({ length: ATTEMPTS }, (_, i) => DEFAULT_PORT + i), host }
  const port = Number(given)
  if (!/^\d+$/.test(given) || port > 65535) throw new Error(`the port must be a number from 0 to 65535, got "${given}"`)
  return { ports: [port], host }
}

/** Listens on the first port that is free. */
async function listen(server: Server, ports: readonly number[], host: string): Promise<void> {
  for (const port of ports) {
    const error = await listenOn(server, port, host)
    if (!error) return
    if (error.code !== 'EADDRINUSE') throw new Error(`cannot listen on port ${port} of ${host}: ${error.message}`)
  }
  const [first, last] = [ports[0], ports.at(-1)]
  const which = first === last ? `port ${first} is` : `ports ${first} to ${last} are`
  throw new Error(`${which} in use; choose another with --port or PORT (0 picks a free one)`)
}

/** Resolves to undefined when the server listens, or to the error. */
function listenOn(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening)
      resolve(error)
    }
    const listening = (): void => {
      server.off('error', failed)
      resolve(undefined)
    }
    server.once('error', failed)
    server.once('listening', listening)
    server.listen(port, host)
  })
}
