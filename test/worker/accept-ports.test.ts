/** Routers behind ports: accepted clients, detection of their end, and a router in a thread. */

import { once } from 'node:events'
import { type parentPort, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WELCOME } from 'wampy-ts/testing'
import { WampClient, WampRouter } from '../../src/index.ts'
import { CONNECTION_FAILED, INVALID_ARGUMENT, USAGE } from '../../src/protocol/names.ts'
import { Router } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { portDial } from '../../src/transport/message-port.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type AcceptOptions, acceptPorts } from '../../src/worker/accept-ports.ts'
import { Recorder } from '../transport/recorder.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  vi.unstubAllGlobals()
})

const never = () => new AbortController().signal

/** A router behind the far end of a channel, and how to dial it. */
function world(options?: AcceptOptions) {
  const { port1, port2 } = new MessageChannel()
  const router = new Router()
  const accepting = acceptPorts(router, port2, options)
  cleanups.push(async () => {
    await router.close()
    accepting.close()
    port1.close()
  })
  return { router, accepting, dial: portDial(port1), port: port1 }
}

async function client(dial: ReturnType<typeof portDial>, serializers = [json]): Promise<WampClient> {
  const made = new WampClient({ router: new WampRouter({ name: 'a worker', dial }), serializers, reconnect: false })
  cleanups.push(() => made.stop())
  await made.start()
  return made
}

const hello = JSON.stringify([1, 'realm1', { roles: { caller: {} } }])

/** A scripted session, so that it can end in any way. */
async function joined(dial: ReturnType<typeof portDial>): Promise<{ transport: Transport; heard: Recorder }> {
  const transport = await dial('', ['wamp.2.json'], never())
  const heard = new Recorder()
  transport.open(heard)
  transport.send(hello)
  expect(JSON.parse((await heard.count(1))[0] as string)[0]).toBe(WELCOME)
  return { transport, heard }
}

test('serves many clients over one port, in the serializer that they share', async () => {
  const { router, dial } = world({ serializers: [json, cbor] })
  const [one, other] = [await client(dial, [cbor, json]), await client(dial, [json])]
  await one.register('com.add', ([x, y]) => (x as number) + (y as number))
  expect(await other.call('com.add', [1, 2])).toBe(3)
  expect(router.links).toBe(2)
  await other.stop()
  await expect.poll(() => router.links).toBe(1)
})

test('a retained event that one of its serializers cannot carry is refused, though no client uses that yet', async () => {
  const { dial } = world({ serializers: [json, msgpack] })
  const publisher = await client(dial)
  const retained = { acknowledge: true, retain: true }
  await publisher.publish('com.small', [1n], undefined, retained)
  await expect(publisher.publish('com.big', [10n ** 30n], undefined, retained)).rejects.toMatchObject({
    uri: INVALID_ARGUMENT,
  })
})

test('supports JSON by default, and names it in a refusal', async () => {
  const { dial } = world()
  await expect(dial('', ['wamp.2.cbor'], never())).rejects.toMatchObject({
    uri: CONNECTION_FAILED,
    message: 'could not reach the worker: it supports wamp.2.json, got wamp.2.cbor',
  })
})

test('ignores other messages to the worker', async () => {
  const { dial, port } = world()
  for (const data of [null, 'hello', { wampy: 'dial' }, { wampy: 'dial', port: 7, protocols: 'x' }])
    port.postMessage(data)
  await joined(dial)
})

test('survives an invalid dial request, and ends a client that exceeds the limit', async () => {
  const { dial, port, router } = world({ maxPayload: 1000 })
  for (const protocols of [[{ toString: 1 }], [5n], ['wamp.2.json', Object.create(null)]]) {
    const { port2 } = new MessageChannel()
    port.postMessage({ wampy: 'dial', port: port2, protocols, lock: { toString: 1 } }, [port2])
  }
  const { transport, heard } = await joined(dial)
  transport.send('x'.repeat(1001))
  expect(await heard.end()).toEqual({ code: 1009, reason: 'a message may have at most 1000 bytes, got 1001' })
  await expect.poll(() => router.links).toBe(0)
  await joined(dial)
})

test('needs a scope that receives messages', () => {
  expect(() => acceptPorts(new Router())).toThrow(expect.objectContaining({ uri: USAGE }))
  // What a thread has, and its maker does not.
  const own: typeof parentPort = null
  expect(() => acceptPorts(new Router(), own)).toThrow(expect.objectContaining({ uri: USAGE }))
})

test('the ports that tabs bring to a SharedWorker are listened to', async () => {
  const scope = new EventTarget()
  const router = new Router()
  const accepting = acceptPorts(router, scope)
  const tabs = [new MessageChannel(), new MessageChannel()]
  for (const { port2 } of tabs) scope.dispatchEvent(Object.assign(new Event('connect'), { ports: [port2] }))
  for (const { port1 } of tabs) await joined(portDial(port1))
  expect(router.links).toBe(2)
  accepting.close()
  await expect.poll(() => router.links).toBe(0)
  for (const { port1 } of tabs) port1.close()
})

describe('the end of a client is noticed', () => {
  test('that closes', async () => {
    const { router, dial } = world()
    const { transport } = await joined(dial)
    transport.close()
    await expect.poll(() => router.stats().sessions).toBe(0)
  })

  test('whose port is closed', async () => {
    const { router, dial } = world()
    const { transport } = await joined(dial)
    transport.terminate()
    await expect.poll(() => router.stats().sessions).toBe(0)
  })

  test('whose thread died', async () => {
    const { router, port } = world()
    const { port1, port2 } = new MessageChannel()
    const bridge = acceptPorts(router, port2 as never)
    cleanups.push(() => bridge.close())
    const thread = new Worker(new URL('./thread.mjs', import.meta.url), {
      workerData: { port: port1 },
      transferList: [port1 as never],
    })
    const packets: unknown[] = []
    thread.on('message', (packet) => packets.push(packet))
    // It is followed by the lock, if there are Web Locks.
    await expect.poll(() => packets).toEqual([expect.arrayContaining(['open', 'wamp.2.json'])])
    thread.postMessage(['frame', hello])
    await expect.poll(() => router.stats().sessions).toBe(1)
    thread.postMessage('die')
    await once(thread, 'exit')
    await expect.poll(() => router.stats().sessions).toBe(0)
    port.close()
  })

  test('that answers no pings', async () => {
    const { router, port } = world({ pingInterval: 30, pingTimeout: 30 })
    const { port1, port2 } = new MessageChannel()
    const packets: unknown[] = []
    port1.onmessage = ({ data }) => packets.push(data)
    cleanups.push(() => port1.close())
    port.postMessage({ wampy: 'dial', port: port2, protocols: ['wamp.2.json'], lock: undefined }, [port2])
    await expect.poll(() => packets).toEqual([expect.arrayContaining(['open', 'wamp.2.json']), ['ping']])
    await expect.poll(() => router.links).toBe(0)
  })

  test('a client that answers stays', async () => {
    const { router, dial } = world({ pingInterval: 10, pingTimeout: 1000 })
    const { heard } = await joined(dial)
    const { router: other, port } = world({ pingInterval: 100, pingTimeout: 100 })
    const { port2 } = new MessageChannel()
    port.postMessage({ wampy: 'dial', port: port2, protocols: ['wamp.2.json'], lock: undefined }, [port2])
    await expect.poll(() => other.links).toBe(1)
    // By the time that the mute one is ended, this one was pinged many times.
    await expect.poll(() => other.links, { timeout: 5000 }).toBe(0)
    expect(router.links).toBe(1)
    expect(heard.closes).toEqual([])
  })

  test('whose lock cannot be waited for, and which answers no pings', async () => {
    vi.stubGlobal('navigator', {
      locks: {
        request: (name: string, _options: object, task: () => void) =>
          name === 'mine' ? Promise.reject(new DOMException('not here', 'SecurityError')) : new Promise(() => task()),
      },
    })
    const { router, port } = world({ pingInterval: 30, pingTimeout: 30 })
    const { port1, port2 } = new MessageChannel()
    cleanups.push(() => port1.close())
    const packets: unknown[][] = []
    port1.onmessage = ({ data }) => packets.push(data)
    port.postMessage({ wampy: 'dial', port: port2, protocols: ['wamp.2.json'], lock: 'mine' }, [port2])
    await expect.poll(() => packets.map(([what]) => what)).toEqual(['open', 'ping'])
    await expect.poll(() => router.links).toBe(0)
  })

  test('whose lock is released, after the frames it sent', async () => {
    const waiting = new Map<string, () => void>()
    vi.stubGlobal('navigator', {
      locks: {
        request(name: string, _options: object, task: () => void) {
          // The worker's own is granted; a peer's is waited for.
          if (name === 'mine') waiting.set(name, task)
          else task()
          return new Promise(() => {})
        },
      },
    })
    const { router, port } = world({ pingInterval: 10, pingTimeout: 10 })
    const { port1, port2 } = new MessageChannel()
    cleanups.push(() => port1.close())
    const packets: unknown[] = []
    port1.onmessage = ({ data }) => packets.push(data)
    port.postMessage({ wampy: 'dial', port: port2, protocols: ['wamp.2.json'], lock: 'mine' }, [port2])
    port1.postMessage(['frame', hello])
    await expect.poll(() => router.stats().sessions).toBe(1)
    // It is not pinged: a page that sleeps would not answer.
    expect(packets.filter((packet) => String(packet) === 'ping')).toEqual([])
    waiting.get('mine')?.()
    expect(router.stats().sessions).toBe(1)
    await expect.poll(() => router.stats().sessions).toBe(0)
    // A client that is alive must not take this for an open connection.
    await expect.poll(() => packets.at(-1)).toEqual(['close', 1006, 'a lock was released'])
  })
})

test('a client notices a lost worker, and a worker that closes in good order', async () => {
  const { dial, accepting } = world()
  const { heard } = await joined(dial)
  accepting.close()
  expect(await heard.end()).toEqual({ code: 1001, reason: 'the router is closing' })
})

test('a router that throws on a connection loses that connection only', async () => {
  const { port1, port2 } = new MessageChannel()
  const accepting = acceptPorts(
    {
      attach() {
        throw new Error('not this one')
      },
    },
    port2 as never,
  )
  const transport = await portDial(port1)('', ['wamp.2.json'], never())
  const heard = new Recorder()
  transport.open(heard)
  expect(await heard.end()).toMatchObject({ code: 1011 })
  accepting.close()
  port1.close()
})
