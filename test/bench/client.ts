/** One client library as a process of its own: keeps calls pending, and prints the CPU time of each. */

import { createRequire } from 'node:module'
import { WebSocket } from 'ws'
import type { Library } from './libraries.ts'

const URI = 'bench.echo'
const PAYLOAD = ['x'.repeat(32)]
const DEPTH = 64

type Open = (url: string) => Promise<() => Promise<unknown>>

const OPEN: Record<Library, Open> = {
  /** The least that a client on `ws` could do: JSON and a table of promises. */
  async bare(url) {
    const socket = new WebSocket(url, 'wamp.2.json', { perMessageDeflate: false })
    const pending = new Map<number, (value: unknown) => void>()
    let last = 0
    await new Promise<void>((resolve, reject) => {
      socket.onerror = reject
      socket.onopen = () => socket.send('[1,"realm1",{"roles":{"caller":{}}}]')
      socket.onmessage = () => resolve()
    })
    socket.onmessage = ({ data }) => {
      const [, id, , args] = JSON.parse(data as string) as [number, number, object, unknown[]]
      pending.get(id)?.(args[0])
      pending.delete(id)
    }
    return () =>
      new Promise((resolve) => {
        pending.set(++last, resolve)
        socket.send(JSON.stringify([48, last, {}, URI, PAYLOAD]))
      })
  },

  async 'wampy-ts'(url) {
    const { WampClient } = (await import('../../dist/index.js' as string)) as typeof import('../../src/index.ts')
    const client = new WampClient({ router: url })
    await client.start()
    return () => client.call(URI, PAYLOAD)
  },

  async wampy(url) {
    const { Wampy } = await import('wampy')
    const client = new Wampy(url, { realm: 'realm1', ws: WebSocket as never })
    await client.connect()
    return () => client.call(URI, PAYLOAD)
  },

  async autobahn(url) {
    // Node 20 has none.
    Object.assign(globalThis, { WebSocket })
    const autobahn = createRequire(import.meta.url)('autobahn') as typeof import('autobahn')['default']
    const connection = new autobahn.Connection({ url, realm: 'realm1' })
    const session = await new Promise<import('autobahn').Session>((resolve) => {
      connection.onopen = resolve
      connection.open()
    })
    return () => session.call(URI, PAYLOAD)
  },
}

const [library, url] = process.argv.slice(2) as [Library, string]
let stopped = true
let calls = 0
let running: Promise<unknown> = Promise.resolve()

OPEN[library](url).then((call) => {
  const caller = async (): Promise<void> => {
    while (!stopped) {
      await call()
      calls++
    }
  }
  process.on('message', async (order: 'start' | 'count' | 'stop') => {
    if (order === 'start') {
      stopped = false
      running = Promise.all(Array.from({ length: DEPTH }, caller))
    } else if (order === 'stop') {
      stopped = true
      await running
    }
    const { user, system } = process.cpuUsage()
    process.send?.({ done: calls, cpu: user + system })
  })
  process.send?.({ done: 0, cpu: 0 })
})

process.on('disconnect', () => process.exit())
