/** The router under attack, in a process of its own: it prints its port, and answers `report` over IPC. */

import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router()
const { port } = await serve(router, { port: 0 })

/** What the router's process uses, in bytes, and what its router has dropped and counts. */
export interface Report {
  readonly heap: number
  readonly rss: number
  readonly stats: ReturnType<Router['stats']>
}

process.on('message', () => {
  // Twice: finalizers of buffers run after the first.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({ heap: heapUsed, rss, stats: router.stats() } satisfies Report)
})
process.on('disconnect', () => process.exit(0))
process.send?.(port)
