/** The router under attack, in a process of its own: it prints its port, and answers `report` over IPC. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

const router = new Router()
const { port } = await serve(router, { port: 0 })

/** The memory of the router's process, in bytes, and the statistics of its router. */
export interface Report {
  readonly heap: number
  readonly rss: number
  /** Bytes of the heap that the engine keeps, used or not. */
  readonly committed: number
  readonly buffers: number
  /** The greatest delay of the event loop and its 99th percentile since the last report, in milliseconds. */
  readonly loop: { readonly max: number; readonly p99: number }
  readonly stats: ReturnType<Router['stats']>
}

process.on('message', () => {
  const loop = { max: delay.max / 1e6, p99: delay.percentile(99) / 1e6 }
  // Twice: finalizers of buffers run after the first.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, heapTotal, rss, arrayBuffers } = process.memoryUsage()
  process.send?.({
    heap: heapUsed,
    committed: heapTotal,
    rss,
    buffers: arrayBuffers,
    loop,
    stats: router.stats(),
  } satisfies Report)
  delay.reset()
})
process.on('disconnect', () => process.exit(0))
process.send?.(port)
