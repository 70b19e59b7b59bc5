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

try {
  await main()
} catch (error) {
  console.error(`wampy-ts demo: ${(error as Error).message}`)
  process.exit(1)
}

async function main(): Promise<void> {
  const { port, host } = settings()
  const router = new Router()
  const service = new DateService({ router })
  const clock = new Clock({ router })
  const control = new Control({ router }, { service, router })
  await Promise.all([service.start(), clock.start(), control.start()])

  const server = createServer(files(fileURLToPath(new URL('site', import.meta.url))))
  const served = await serve(router, { server })
  await listen(server, port, host)
  const { address, port: bound, family } = server.address() as AddressInfo
  const reached = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  console.log(`wampy-ts demo on http://${reached}:${bound}/`)

  const stop = async (): Promise<void> => {
    // A second signal means now.
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

function settings(): { port: number; host: string } {
  const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } })
  const given = values.port ?? (process.env['PORT'] || '8000')
  const port = Number(given)
  if (!/^\d+$/.test(given) || port > 65535) throw new Error(`the port must be a number from 0 to 65535, got "${given}"`)
  return { port, host: values.host ?? (process.env['HOST'] || '127.0.0.1') }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const text =
        error.code === 'EADDRINUSE'
          ? `port ${port} is in use; choose another with --port or PORT (0 picks a free one)`
          : `cannot listen on port ${port} of ${host}: ${error.message}`
      reject(new Error(text))
    })
    server.listen(port, host, resolve)
  })
}
