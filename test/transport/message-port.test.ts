/** Ports: dialing, backlog, pings, locks, and peers that break the rules. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CONNECTION_FAILED } from '../../src/protocol/names.ts'
import { type DialRequest, isDialRequest, PortTransport, portDial } from '../../src/transport/message-port.ts'
import { Recorder } from './recorder.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  vi.unstubAllGlobals()
})

const never = () => new AbortController().signal

/** A scripted worker: `knocks` are the messages it received. */
function worker(answer: (knock: DialRequest) => void = () => {}) {
  const { port1, port2 } = new MessageChannel()
  const knocks: DialRequest[] = []
  port2.onmessage = ({ data }) => {
    knocks.push(data)
    answer(data)
  }
  cleanups.push(() => port1.close())
  return { target: port1 as never, knocks, port2 }
}

/** The two ports of a transport and a scripted peer. */
function ends() {
  const { port1, port2 } = new MessageChannel()
  const said: unknown[] = []
  port2.onmessage = ({ data }) => said.push(data)
  const transport = new PortTransport(port1 as never, 'wamp.2.json', { ended() {} })
  const heard = new Recorder()
  transport.open(heard)
  cleanups.push(() => port2.close())
  return { transport, heard, said, port: port2 }
}

describe('dialing', () => {
  test('sends a port of its own, and uses the answered protocol', async () => {
    // Node has Web Locks from version 24.
    vi.stubGlobal('navigator', undefined)
    const { target, knocks } = worker(({ port }) => port.postMessage(['open', 'wamp.2.cbor']))
    const transport = await portDial(target)('', ['wamp.2.json', 'wamp.2.cbor'], never())
    cleanups.push(() => transport.terminate())
    expect(transport.protocol).toBe('wamp.2.cbor')
    expect(knocks).toMatchObject([{ wampy: 'dial', protocols: ['wamp.2.json', 'wamp.2.cbor'], lock: undefined }])
  })

  test('calls a function for a worker on each attempt, and uses the port of a SharedWorker', async () => {
    let made = 0
    const { target } = worker(({ port }) => port.postMessage(['open', 'wamp.2.json']))
    const dial = portDial(() => {
      made++
      return { port: target }
    })
    for (let i = 0; i < 2; i++) (await dial('', ['wamp.2.json'], never())).terminate()
    expect(made).toBe(2)
  })

  test.each([
    [['refuse', 'it is Sunday'], 'could not reach the worker: it is Sunday'],
    [['open', 'wamp.2.cbor'], 'could not reach the worker: it sent an unexpected answer'],
    [['frame', '[1]'], 'could not reach the worker: it sent an unexpected answer'],
  ])('fails on %j', async (packet, text) => {
    const { target } = worker(({ port }) => port.postMessage(packet))
    await expect(portDial(target)('', ['wamp.2.json'], never())).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: text,
    })
  })

  test('fails also if the refusal is not text', async () => {
    const { target } = worker(({ port }) => port.postMessage(['refuse', { toString: 1 }]))
    await expect(portDial(target)('', ['wamp.2.json'], never())).rejects.toMatchObject({ uri: CONNECTION_FAILED })
  })

  test('fails if the port is closed', async () => {
    const { target } = worker(({ port }) => port.close())
    await expect(portDial(target)('', ['wamp.2.json'], never())).rejects.toMatchObject({ uri: CONNECTION_FAILED })
  })

  test.each([0, 1, 2, 50])('fails for a script that fails %i turns after the worker was created', async (turns) => {
    const broken = Object.assign(new EventTarget(), { postMessage() {} })
    const outcome = portDial(() => broken as never)('', ['wamp.2.json'], never())
    const failed = expect(outcome).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: 'could not reach the worker: its script could not be loaded, or threw',
    })
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    broken.dispatchEvent(new Event('error'))
    await failed
  })

  test('stops when its signal aborts, and closes its port', async () => {
    const { target, knocks } = worker()
    const controller = new AbortController()
    const outcome = portDial(target)('', ['wamp.2.json'], controller.signal)
    await expect.poll(() => knocks.length).toBe(1)
    const closed = new Promise((resolve) => knocks[0]?.port.addEventListener('close', resolve))
    controller.abort(new Error('enough'))
    await expect(outcome).rejects.toThrow('enough')
    await closed
    await expect(portDial(target)('', ['wamp.2.json'], controller.signal)).rejects.toThrow('enough')
  })

  test('other values are not dial requests', () => {
    for (const data of [
      null,
      undefined,
      7,
      'dial',
      {},
      { wampy: 'dial' },
      { wampy: 'dial', port: {}, protocols: [] },
      { wampy: 'dial', port: { postMessage() {} }, protocols: [{ toString: 1 }] },
    ]) {
      expect(isDialRequest(data)).toBe(false)
    }
  })
})

describe('a transport', () => {
  test('counts bytes that its peer has not acknowledged', async () => {
    const { transport, said, port } = ends()
    transport.send('12345')
    transport.send(new Uint8Array(10))
    await expect.poll(() => said.length).toBe(2)
    expect(transport.backlog).toBe(15)
    port.postMessage(['taken', 5])
    await expect.poll(() => transport.backlog).toBe(10)
    port.postMessage(['taken', 1000])
    await expect.poll(() => transport.backlog).toBe(0)
    transport.send('12345')
    port.postMessage(['taken', 'x'])
    port.postMessage(['ping'])
    await expect.poll(() => said.at(-1)).toEqual(['pong'])
    expect(Number.isNaN(transport.backlog)).toBe(false)
  })

  test('acknowledges the frames of a turn once', async () => {
    const { heard, said, port } = ends()
    for (const text of ['a', 'bb', 'ccc']) port.postMessage(['frame', text])
    await heard.count(3)
    await expect.poll(() => said.reduce((sum: number, packet) => sum + (packet as [string, number])[1], 0)).toBe(6)
  })

  test('sends a view without the rest of its buffer', async () => {
    const { transport, said } = ends()
    const whole = new Uint8Array(1_000_000)
    transport.send(whole.subarray(3, 5))
    transport.write(transport.prepare(whole.subarray(5, 8)))
    await expect.poll(() => said.length).toBe(2)
    expect(said.map((packet) => (packet as [string, Uint8Array])[1].buffer.byteLength)).toEqual([2, 3])
  })

  test.each([
    [['frame', 7]],
    [['frame']],
    [['frame', { length: 3 }]],
    [['frame', new Uint8Array(new SharedArrayBuffer(8))]],
  ])('ends on %j, and sends the reason', async (packet) => {
    const { heard, said, port } = ends()
    port.postMessage(packet)
    expect(await heard.end()).toEqual({ code: 1003, reason: 'a frame must be text or bytes' })
    await expect.poll(() => said).toEqual([['close', 1003, 'a frame must be text or bytes']])
  })

  test('ignores an invalid number, code or reason', async () => {
    const { transport, heard, port } = ends()
    transport.send('12345')
    for (const taken of [5n, -5, Number.NaN, { valueOf: 1, toString: 1 }, [2]]) port.postMessage(['taken', taken])
    port.postMessage(['close', { valueOf: 1 }, { toString: 1 }])
    expect(await heard.end()).toEqual({ code: 1006, reason: '' })
    expect(transport.backlog).toBe(5)
  })

  test('ignores unknown packets', async () => {
    const { heard, port } = ends()
    for (const data of [null, 7, 'x', {}, [], ['what'], ['pong']]) port.postMessage(data)
    port.postMessage(['frame', 'a'])
    expect(await heard.count(1)).toEqual(['a'])
  })
})

describe('with Web Locks', () => {
  /** Locks as a browser has them, for one process. */
  class Locks {
    readonly queues = new Map<string, (() => Promise<void>)[]>()

    request(name: string, _options: object, task: () => Promise<void> | undefined): Promise<void> {
      return new Promise((resolve) => {
        const queue = this.queues.get(name) ?? []
        this.queues.set(name, queue)
        queue.push(async () => {
          await task()
          resolve()
          queue.shift()
          queue[0]?.()
        })
        if (queue.length === 1) queueMicrotask(() => queue[0]?.())
      })
    }
  }

  beforeEach(() => vi.stubGlobal('navigator', { locks: new Locks() }))

  test('the dialing side holds a lock, which is released when its transport has ended', async () => {
    const { target, knocks } = worker(({ port }) => port.postMessage(['open', 'wamp.2.json']))
    const transport = await portDial(target)('', ['wamp.2.json'], never())
    const lock = knocks[0]?.lock
    expect(lock).toMatch(/^wampy-ts \w{20,}$/)
    let free = false
    const released = navigator.locks.request(lock!, {}, async () => {
      free = true
    })
    transport.send('x')
    expect(free).toBe(false)
    transport.terminate()
    await released
    expect(free).toBe(true)
  })

  test('it is free when the dial fails', async () => {
    const { target, knocks } = worker(({ port }) => port.postMessage(['refuse', 'no']))
    await expect(portDial(target)('', ['wamp.2.json'], never())).rejects.toThrow('no')
    await navigator.locks.request(knocks[0]?.lock as string, {}, async () => {})
  })
  test('a script that fails before the lock is granted leaves no lock', async () => {
    const broken = Object.assign(new EventTarget(), { postMessage() {} })
    const outcome = portDial(() => broken as never)('', ['wamp.2.json'], never())
    broken.dispatchEvent(new Event('error'))
    await expect(outcome).rejects.toMatchObject({ uri: CONNECTION_FAILED })
    const { queues } = navigator.locks as unknown as Locks
    await expect.poll(() => [...queues.values()].flat()).toEqual([])
  })

  test('a revoked lock ends the transport, and the other end receives the close', async () => {
    const grants: ((error: Error) => void)[] = []
    vi.stubGlobal('navigator', {
      locks: {
        request: (_name: string, _options: object, task: () => unknown) =>
          new Promise((_, reject) => {
            task()
            grants.push(reject)
          }),
      },
    })
    const { target, knocks } = worker(({ port }) => port.postMessage(['open', 'wamp.2.json']))
    const transport = await portDial(target)('', ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    const said: unknown[] = []
    ;(knocks[0]?.port as unknown as MessagePort).onmessage = ({ data }) => said.push(data)
    grants[0]?.(new DOMException('taken back', 'AbortError'))
    expect(await heard.end()).toEqual({ code: 1006, reason: '' })
    await expect.poll(() => said).toEqual([['close', 1006, 'a lock was released']])
  })

  test("the release of the worker's lock ends it, after the frames sent before", async () => {
    let release: () => void = () => {}
    navigator.locks.request(
      'theirs',
      {},
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    const { target, knocks } = worker(({ port }) => port.postMessage(['open', 'wamp.2.json', 'theirs']))
    const transport = await portDial(target)('', ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    knocks[0]?.port.postMessage(['frame', 'last words'])
    release()
    expect(await heard.end()).toEqual({ code: 1006, reason: '' })
    expect(heard.frames).toEqual(['last words'])
  })
})
