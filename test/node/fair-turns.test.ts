/** Fair turns: connections whose messages take long wait for one another, and nobody else waits for all of them. */

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HELLO, PUBLISH, SUBSCRIBE } from 'wampy-ts/testing'
import WebSocket from 'ws'
import { FairTurns } from '../../src/node/fair-turns.ts'
import { serve } from '../../src/node/serve.ts'
import { Router } from '../../src/router/router.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** A connection of which each chunk takes so many milliseconds. */
class Busy {
  readonly socket = new PassThrough()
  readonly log: string[]
  readonly name: string

  constructor(turns: FairTurns, name: string, milliseconds: number, log: string[]) {
    this.name = name
    this.log = log
    this.socket.on('data', () => {
      vi.advanceTimersByTime(milliseconds)
      log.push(`read ${name}`)
    })
    turns.watch(this.socket, { delay: () => log.push(`delay ${name}`), proceed: () => log.push(`proceed ${name}`) })
  }

  chunk(): void {
    this.socket.emit('data', Buffer.alloc(8192))
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('by a clock of the test', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('above the time of a turn heavy connections are put off, in order, and light ones are not', async () => {
    const log: string[] = []
    const turns = new FairTurns()
    const busy = ['a', 'b', 'c', 'd'].map((name) => new Busy(turns, name, 8, log))
    const light = new Busy(turns, 'light', 0, log)
    for (const each of busy) each.chunk()
    light.chunk()
    expect(log).toEqual([
      'read a',
      'read b',
      'delay a',
      'delay b',
      'read c',
      'delay c',
      'read d',
      'delay d',
      'read light',
    ])
    log.length = 0
    await turn()
    await turn()
    await turn()
    expect(log).toEqual(['proceed a', 'proceed b', 'proceed c', 'proceed d'])
  })

  test('one heavy connection alone is never put off', async () => {
    const log: string[] = []
    const alone = new Busy(new FairTurns(), 'alone', 8, log)
    for (let i = 0; i < 3; i++) {
      alone.chunk()
      await turn()
    }
    expect(log).toEqual(['read alone', 'read alone', 'read alone'])
  })

  test('of long messages that arrive together the one is read on of which the most has arrived', async () => {
    const log: string[] = []
    const turns = new FairTurns()
    const bytes = [300_000, 100_000, 900_000, 500_000]
    const sockets = bytes.map((arriving, index) => {
      const socket = new PassThrough()
      const named = (what: string) => () => void log.push(`${what} ${index}`)
      turns.watch(socket, { delay: named('delay'), proceed: named('proceed') }, () => arriving)
      return socket
    })
    // The first five parts of a turn are free.
    for (let i = 0; i < 5; i++) sockets[0]?.emit('data', Buffer.alloc(1))
    for (const socket of sockets) socket.emit('data', Buffer.alloc(1))
    expect(log).toEqual(['delay 0', 'delay 1', 'delay 2', 'delay 3'])
    log.length = 0
    await turn()
    expect(log).toEqual(['proceed 2', 'proceed 3', 'proceed 0', 'proceed 1'])
  })

  test('of messages that become complete in one turn only the first is handled in it', async () => {
    const log: string[] = []
    const turns = new FairTurns()
    let arriving = 900_000
    const sockets = [0, 1, 2].map((index) => {
      const socket = new PassThrough()
      const named = (what: string) => () => void log.push(`${what} ${index}`)
      socket.on('data', () => arriving === 0 && vi.advanceTimersByTime(100))
      turns.watch(socket, { delay: named('delay'), proceed: named('proceed') }, () => arriving)
      return socket
    })
    for (let i = 0; i < 6; i++) sockets[i % 3]?.emit('data', Buffer.alloc(8192))
    await turn()
    log.length = 0
    // All are read in this turn; the last part of a message makes it long.
    arriving = 0
    sockets[0]?.emit('data', Buffer.alloc(8192))
    expect(log).toEqual(['delay 1', 'delay 2', 'delay 0'])
    await turn()
    expect(log.slice(3)).toContain('proceed 1')
  })

  test('after a long turn the heavy connections rest, if there are others', async () => {
    const log: string[] = []
    const turns = new FairTurns()
    const [one, other] = ['one', 'other'].map((name) => new Busy(turns, name, 50, log)) as [Busy, Busy]
    const light = new Busy(turns, 'light', 0, log)
    one.chunk()
    await turn()
    expect(log).toEqual(['read one', 'delay one', 'proceed one'])
    light.chunk()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    other.chunk()
    log.length = 0
    await turn()
    await turn()
    expect(log).toEqual([])
    expect(timers).toHaveBeenCalledOnce()
    await vi.waitUntil(() => log.length > 0, { interval: 1 })
    expect(log[0]).toBe('proceed one')
    timers.mockRestore()
  })

  test('a connection that closes while it waits is forgotten', async () => {
    const log: string[] = []
    const turns = new FairTurns()
    const busy = ['a', 'b'].map((name) => new Busy(turns, name, 12, log))
    for (const each of busy) each.chunk()
    for (const { socket } of busy) socket.destroy()
    await once(busy[1]?.socket as PassThrough, 'close')
    await turn()
    await turn()
    expect(log.filter((line) => line.startsWith('proceed b'))).toEqual([])
  })
})

test.each(['ws', 'rs'])('over %s every message of connections that were put off arrives, in order', async (scheme) => {
  const router = new Router()
  const served = await serve(router, { port: 0 })
  cleanups.push(() => served.close())
  const url = scheme === 'ws' ? served.url : (served.rawSocketUrl as string)
  const { WampClient, WampRouter } = await import('../../src/index.ts')
  const { rawSocketDial } = await import('../../src/node.ts')
  const via = () => (scheme === 'ws' ? url : new WampRouter({ url, dial: rawSocketDial() }))
  const subscriber = new WampClient({ router: via() })
  await subscriber.start()
  cleanups.push(() => subscriber.stop())
  const heard = new Map<number, number[]>()
  await subscriber.subscribe('com.a', ([from, i]) => {
    const list = heard.get(from as number) ?? []
    list.push(i as number)
    heard.set(from as number, list)
  })
  const publishers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = new WampClient({ router: via() })
      await client.start()
      cleanups.push(() => client.stop())
      return client
    }),
  )
  const big = Array.from({ length: 2000 }, () => ({ a: 1 }))
  const all = publishers.map(async (client, from) => {
    const sent: Promise<unknown>[] = []
    for (let i = 0; i < 60; i++) sent.push(client.publish('com.a', [from, i, big], undefined, { acknowledge: true }))
    await Promise.all(sent)
  })
  await Promise.all(all)
  while ([...heard.values()].reduce((sum, { length }) => sum + length, 0) < 480) await turn()
  for (const list of heard.values()) expect(list).toEqual(Array.from({ length: 60 }, (_, i) => i))
})

test('the bytes of a long message that has not arrived in whole are counted, until it has', async () => {
  const router = new Router()
  const served = await serve(router, { port: 0 })
  cleanups.push(() => served.close())
  const socket = new WebSocket(served.url, ['wamp.2.json'])
  cleanups.push(() => socket.terminate())
  await once(socket, 'open')
  socket.send(JSON.stringify([HELLO, 'realm1', { roles: { publisher: {} } }]))
  await once(socket, 'message')
  const parts = [`[${PUBLISH},1,{},"com.a",["`, 'x'.repeat(1_000_000), '"]]']
  socket.send(parts[0] as string, { fin: false })
  socket.send(parts[1] as string, { fin: false })
  const { bytes } = router.stats()
  expect(bytes.incoming).toBe(0)
  while (router.stats().bytes.incoming < 1_000_000) await turn()
  socket.send(parts[2] as string, { fin: true })
  socket.send(JSON.stringify([SUBSCRIBE, 2, {}, 'com.b']))
  await once(socket, 'message')
  expect(router.stats().bytes.incoming).toBe(0)
})
