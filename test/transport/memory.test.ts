/** What the wires in memory promise beyond the contract: turns, copies, the fence. */

import { afterEach, expect, test, vi } from 'vitest'
import { later } from '../../src/transport/lane.ts'
import { wires } from '../../src/transport/memory.ts'
import { Recorder } from './recorder.ts'

const turn = () => new Promise<void>((resolve) => later(resolve))

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

test('nothing arrives inside the call that sends it, nor in its microtasks', async () => {
  const { a, b } = wires()
  const heard = new Recorder()
  b.open(heard)
  a.send('x')
  a.close()
  expect(heard.frames).toEqual([])
  await Promise.resolve()
  expect(heard.frames).toEqual([])
  await heard.end()
  expect(heard.frames).toEqual(['x'])
})

test('a frame sent during a delivery arrives in a later turn', async () => {
  const { a, b } = wires()
  const log: string[] = []
  a.open({ frame: (frame) => log.push(`a got ${frame}`), closed() {} })
  b.open({
    frame(frame) {
      b.send(`re: ${frame}`)
      log.push(`b got ${frame}`)
    },
    closed() {},
  })
  a.send('1')
  a.send('2')
  await turn()
  await turn()
  await turn()
  expect(log).toEqual(['b got 1', 'b got 2', 'a got re: 1', 'a got re: 2'])
})

test('the receiver gets bytes of its own', async () => {
  const { a, b } = wires()
  const heard = new Recorder()
  b.open(heard)
  const bytes = new Uint8Array([1, 2, 3])
  a.send(bytes)
  bytes[0] = 9
  expect(await heard.count(1)).toEqual([new Uint8Array([1, 2, 3])])
})

test('a fence lets the released number pass, counting the end', async () => {
  const { a, b, toB } = wires({ hold: true })
  const heard = new Recorder()
  b.open(heard)
  for (const frame of ['1', '2', '3']) a.send(frame)
  a.close(4000, 'bye')
  await turn()
  await turn()
  expect(heard.frames).toEqual([])
  expect(toB.held).toEqual(['1', '2', '3'])
  expect(a.backlog).toBe(3)
  toB.release(1)
  expect(heard.frames).toEqual([])
  await heard.count(1)
  await turn()
  expect(toB.held).toEqual(['2', '3'])
  toB.release(2)
  await heard.count(3)
  await turn()
  await turn()
  expect(heard.closes).toEqual([])
  toB.release()
  expect(await heard.end()).toEqual({ code: 4000, reason: 'bye' })
})

test('release lets waiting frames pass, not later ones', async () => {
  const { a, b, toA, release } = wires({ hold: true })
  const heard = new Recorder()
  a.open(heard)
  b.send('1')
  release()
  b.send('2')
  await heard.count(1)
  await turn()
  await turn()
  expect(heard.frames).toEqual(['1'])
  toA.release(5)
  await heard.count(2)
  b.send('3')
  await turn()
  await turn()
  expect(toA.held).toEqual(['3'])
})

test('the closing side receives the end whatever the fence holds', async () => {
  const { a, b } = wires({ hold: true })
  const heard = new Recorder()
  a.open(heard)
  b.send('never heard')
  a.close(4000, 'mine')
  expect(await heard.end()).toEqual({ code: 4000, reason: 'mine' })
  expect(heard.frames).toEqual([])
})

test('both may close at once', async () => {
  const { a, b } = wires()
  const [atA, atB] = [new Recorder(), new Recorder()]
  a.open(atA)
  b.open(atB)
  a.close(4001, 'from a')
  b.close(4002, 'from b')
  expect(await atA.end()).toEqual({ code: 4001, reason: 'from a' })
  expect(await atB.end()).toEqual({ code: 4002, reason: 'from b' })
})

test.each(['MessageChannel', 'setTimeout'])('without setImmediate, %s keeps the order', async (by) => {
  vi.stubGlobal('setImmediate', undefined)
  if (by === 'setTimeout') vi.stubGlobal('MessageChannel', undefined)
  vi.resetModules()
  const fresh = await import('../../src/transport/lane.ts')
  const log: number[] = []
  await new Promise<void>((resolve) => {
    fresh.later(() => log.push(1))
    fresh.later(() => log.push(2))
    fresh.later(resolve)
    expect(log).toEqual([])
    // An unreferenced port alone would not keep this worker waiting.
    setTimeout(() => {}, 50)
  })
  expect(log).toEqual([1, 2])
})
