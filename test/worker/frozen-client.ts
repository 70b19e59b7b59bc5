/** A thread with a client that believes it is in a worker of a page, registers a procedure, and can be frozen. */

import { parentPort, workerData } from 'node:worker_threads'
import { WampClient } from 'wampy-ts'

Object.assign(globalThis, { WorkerGlobalScope: class {} })

const { url, ice } = workerData as { url: string; ice: Int32Array }
const client = new WampClient({ router: url, reconnect: { initial: 10, max: 10 } })
const ready = client.start().then(() => client.register('com.example.here', () => 'here'))

parentPort?.on('message', async (text: string) => {
  if (text === 'speak') await client.call('wamp.session.count')
  if (text === 'stop') await client.stop()
  parentPort?.postMessage(text)
  // The whole thread stands still, and its connection stays open.
  if (text === 'freeze') Atomics.wait(ice, 0, 0)
})
void ready.then(() => parentPort?.postMessage('ready'))
