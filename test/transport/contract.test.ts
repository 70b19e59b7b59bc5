/** The contract of transports, run over each of them. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as client from 'wampy-ts'
import * as node from 'wampy-ts/node'
import type { CloseInfo, Frame } from '../../src/transport/transport.ts'
import { pairs, traits } from './pairs.ts'
import { Recorder } from './recorder.ts'

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)
const frames: Frame[] = ['', 'text', 'größer 😀', bytes(0), bytes(125), bytes(126), 'x'.repeat(65_535), bytes(65_536)]
frames.push('ä'.repeat(8_192), 'é'.repeat(40_000), 'last')

test('runs over every dial that the package exports', () => {
  const dials = Object.keys({ ...client, ...node }).filter((name) => /(^d|D)ial$/.test(name))
  expect(dials.length).toBeGreaterThanOrEqual(5)
  const text = readFileSync(new URL('pairs.ts', import.meta.url), 'utf8')
  expect(dials.filter((name) => !new RegExp(`\\b${name}\\(`).test(text))).toEqual([])
})

describe.each(Object.entries(pairs))('%s', (name, pair) => {
  const { only, filled, wordless, quiet, pausable } = traits[name] ?? {}
  /** The text of a test as a frame of this transport. */
  const say = (text: string): Frame => (only === 'bytes' ? new TextEncoder().encode(text) : text)
  const read = (frame: Frame): string => (typeof frame === 'string' ? frame : new TextDecoder().decode(frame))
  const carried = frames
    .map((frame) => (typeof frame === 'string' ? say(frame) : frame))
    .filter((frame) => (!only || (typeof frame === 'string') === (only === 'text')) && (!filled || frame.length > 0))
  /** The close info after a close of the peer, and after a break. */
  const closed = (code: number, reason: string) => (wordless ? { code: 1000, reason: '' } : { code, reason })
  const broken = quiet ? { code: 1000, reason: '' } : { code: 1006, reason: '' }

  test('has the negotiated protocol', async () => {
    expect((await pair()).transport.protocol).toBe(only === 'bytes' ? 'wamp.2.cbor' : 'wamp.2.json')
  })

  test('carries frames of all sizes, whole and in order', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    for (const frame of carried) transport.send(frame)
    peer.send(...carried)
    expect(await peer.heard.count(carried.length)).toEqual(carried)
    expect(await heard.count(carried.length)).toEqual(carried)
    for (const frame of heard.frames) {
      if (typeof frame !== 'string') expect(Object.getPrototypeOf(frame)).toBe(Uint8Array.prototype)
    }
    await expect.poll(() => transport.backlog, { interval: 2 }).toBe(0)
  })

  test('has a backlog, which shrinks to 0', async () => {
    const { transport, peer } = await pair()
    transport.send(say('x'.repeat(1000)))
    expect(transport.backlog).toBeGreaterThanOrEqual(transport.framing || !transport.ping ? 1000 : 0)
    await peer.heard.count(1)
    await expect.poll(() => transport.backlog, { interval: 2 }).toBe(0)
  })

  test('holds frames that arrive before it is opened', async () => {
    const { transport, peer } = await pair()
    peer.send(...['one', 'two', 'three'].map(say))
    peer.close(4000, 'bye')
    await peer.heard.end()
    const heard = new Recorder()
    transport.open(heard)
    expect(await heard.end()).toEqual(closed(4000, 'bye'))
    expect(heard.frames.map(read)).toEqual(['one', 'two', 'three'])
  })

  test('answers from inside a handler, one by one, keep their order', async () => {
    const { transport, peer } = await pair()
    transport.open({ frame: (frame) => transport.send(say(`re: ${read(frame)}`)), closed() {} })
    peer.send(...['one', 'two', 'three'].map(say))
    expect((await peer.heard.count(3)).map(read)).toEqual(['re: one', 're: two', 're: three'])
  })

  test('reports the close of the peer once, and last', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    peer.send(say('before'))
    peer.close(4001, 'grüße')
    expect(await heard.end()).toEqual(closed(4001, 'grüße'))
    transport.close()
    transport.terminate()
    await peer.heard.end()
    expect(heard).toMatchObject({ frames: [say('before')], closes: [closed(4001, 'grüße')], late: [] })
  })

  test('closes after the frames sent before, and delivers nothing more', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.send(say('before'))
    transport.close(4002, 'done')
    transport.send(say('after'))
    transport.close(4003, 'again')
    peer.send(say('too late'))
    expect(heard.closes).toEqual([])
    expect(await peer.heard.end()).toEqual(closed(4002, 'done'))
    expect(peer.heard.frames.map(read)).toEqual(['before'])
    expect(await heard.end()).toEqual({ code: 4002, reason: 'done' })
    expect(heard.frames).toEqual([])
  })

  test.each([
    ['a'.repeat(123), 'a'.repeat(123)],
    ['a'.repeat(200), 'a'.repeat(123)],
    ['é'.repeat(62), 'é'.repeat(61)],
    [`a${'😀'.repeat(40)}`, `a${'😀'.repeat(30)}`],
    [`${'a'.repeat(123)}😀`, 'a'.repeat(123)],
  ])('cuts a reason to 123 bytes between two characters', async (reason, cut) => {
    const { transport, peer } = await pair()
    transport.close(1000, reason)
    expect(await peer.heard.end()).toEqual(closed(1000, cut))
  })

  test.each([0, -1, 999, 1002, 1005, 1006, 1015, 2999, 5000, Number.NaN])('close(%d) never throws', async (code) => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.close(code, 'odd')
    await heard.end()
    await peer.heard.end()
    expect(heard.closes).toHaveLength(1)
  })

  test('terminate ends it at once', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.terminate()
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
    transport.send(say('after'))
    transport.terminate()
    expect(await peer.heard.end()).toEqual(broken)
    expect(heard.closes).toHaveLength(1)
    expect(peer.heard.frames).toEqual([])
  })

  test('terminate ends a transport that the peer does not close', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.close()
    transport.terminate()
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
    await peer.heard.end()
  })

  test('terminate inside a handler keeps the rest away', async () => {
    const { transport, peer } = await pair()
    const heard: (Frame | CloseInfo)[] = []
    const ended = new Promise<void>((resolve) => {
      transport.open({
        frame(frame) {
          heard.push(frame)
          transport.terminate()
        },
        closed(info) {
          heard.push(info)
          resolve()
        },
      })
    })
    peer.send(say('one'), say('two'))
    await ended
    await peer.heard.end()
    expect(heard).toEqual([say('one'), { code: 1006, reason: '' }])
  })

  test('reports 1006 if the peer broke', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    peer.terminate()
    expect(await heard.end()).toEqual(broken)
  })

  if (pausable)
    test('reads no more while it is paused, and then all of it in order', async () => {
      const [paused, other] = [await pair(), await pair()]
      const [heard, elsewhere] = [new Recorder(), new Recorder()]
      paused.transport.open(heard)
      other.transport.open(elsewhere)
      paused.peer.send(say('first'))
      await heard.count(1)
      paused.transport.pause?.()
      // More than all buffers between the two ends can hold.
      const many = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(65_536)}`)
      paused.peer.send(...many.map(say))
      other.peer.send(...many.map(say))
      // By then, an end that reads has all of it.
      await elsewhere.count(many.length)
      expect(heard.frames.length).toBeLessThan(many.length / 2)
      paused.transport.resume?.()
      expect((await heard.count(1 + many.length)).map(read)).toEqual(['first', ...many])
    })

  if (pausable)
    test('reports the end while it is paused, and nothing after it', async () => {
      const { transport, peer } = await pair()
      const heard = new Recorder()
      transport.open(heard)
      peer.send(say('first'))
      await heard.count(1)
      transport.pause?.()
      peer.terminate()
      expect(await heard.end()).toEqual(broken)
      transport.resume?.()
      transport.pause?.()
      expect(heard).toMatchObject({ frames: [say('first')], late: [] })
    })

  if (pausable)
    test('closes while it is paused, as if it were not', async () => {
      const { transport, peer } = await pair()
      const heard = new Recorder()
      transport.open(heard)
      transport.pause?.()
      peer.send(...Array.from({ length: 50 }, () => say('x'.repeat(65_536))))
      transport.close(4000, 'done')
      expect(await peer.heard.end()).toEqual(closed(4000, 'done'))
      expect(await heard.end()).toEqual({ code: 4000, reason: 'done' })
      expect(heard.frames).toEqual([])
    })

  test('a ping is answered by the peer, if the transport has pings', async () => {
    const { transport, peer } = await pair()
    transport.open(new Recorder())
    if (transport.ping) await new Promise<void>((answered) => transport.ping?.(answered))
    peer.terminate()
    transport.terminate()
    expect(() => transport.ping?.(() => {})).not.toThrow()
  })
})

test('gathered: a prepared frame is written to many, between other frames and whole', async () => {
  const one = await pairs['a gathered WebSocket of a server']!()
  const two = await pairs['a gathered WebSocket of a server']!()
  for (const frame of ['', 'größer', 'x'.repeat(70_000), bytes(70_000)]) {
    const prepared = one.transport.prepare?.(frame)
    for (const { transport } of [one, two]) {
      transport.send('before')
      transport.write?.(prepared)
      transport.send('after')
    }
  }
  const expected = ['', 'größer', 'x'.repeat(70_000), bytes(70_000)].flatMap((frame) => ['before', frame, 'after'])
  expect(await one.peer.heard.count(12)).toEqual(expected)
  expect(await two.peer.heard.count(12)).toEqual(expected)
  expect(one.transport.framing).toBe(two.transport.framing)
})

test('gathered: nothing is prepared if frames are deflated', async () => {
  const { transport } = await pairs['a deflated WebSocket of a server']!()
  expect(transport.framing).toBeUndefined()
  expect(transport.prepare).toBeUndefined()
})

test('gathered: a close follows the frames of the same turn, and a ping does not break a frame', async () => {
  const { transport, peer } = await pairs['a gathered WebSocket of a server']!()
  transport.send('one')
  transport.ping?.(() => {})
  transport.send('x'.repeat(100_000))
  transport.close(1001, 'going')
  expect(await peer.heard.end()).toEqual({ code: 1001, reason: 'going' })
  expect(peer.heard.frames).toEqual(['one', 'x'.repeat(100_000)])
})

test('gathered: the frames of one turn leave in one system call', async () => {
  const { transport, peer } = await pairs['a gathered WebSocket of a server']!()
  transport.send('one')
  transport.send('two')
  // Both with their headers, still in this process: without gathering they would be in the kernel now.
  expect(transport.backlog).toBe(10)
  await peer.heard.count(2)
})
