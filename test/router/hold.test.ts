/** A session that waits for a decision: its later messages are held, in order and bounded, and its end is noticed. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { batching, type Dial, longPollDial, portDial, type Serializer, webSocketDial } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { rawSocketDial, type Served, type ServeOptions, serve } from 'wampy-ts/node'
import { type Attachable, acceptPorts, framed, json, type Link } from 'wampy-ts/router'
import { PUBLISH } from 'wampy-ts/testing'
import type { Message, PublishMessage } from '../../src/protocol/messages.ts'
import { payload } from '../../src/protocol/payload.ts'
import { Ledger } from '../../src/router/member/ledger.ts'
import { LIMITS, type RouterLimits } from '../../src/router/member/limits.ts'
import { type Home, Member } from '../../src/router/member/member.ts'
import { Traffic } from '../../src/router/member/traffic.ts'
import { table } from '../../src/session/handler-table.ts'
import { linked } from '../../src/session/linked.ts'
import { leaving, type SessionEnd } from '../../src/session/session.ts'
import { wires } from '../../src/transport/memory.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Accepts links like a router. A publication to `ask` waits for a decision; handled messages are recorded. */
class Waiting implements Attachable {
  readonly handled: string[] = []
  readonly asked: { allow(): void; fail(): void }[] = []
  readonly dropped = { sessions: 0, held: 0, memory: 0 }
  readonly ends: SessionEnd[] = []
  readonly paused: boolean[] = []
  readonly #limits: Partial<RouterLimits>
  #changed: (() => void)[] = []

  constructor(limits: Partial<RouterLimits> = {}) {
    this.#limits = limits
  }

  attach(link: Link): void {
    const { pause, resume } = link
    if (pause && resume) {
      link.pause = () => {
        this.paused.push(true)
        pause.call(link)
      }
      link.resume = () => {
        this.paused.push(false)
        resume.call(link)
      }
    }
    const member = new NotedMember(link, {
      strict: false,
      limits: { ...LIMITS, ...this.#limits },
      ledger: new Ledger(LIMITS.memory),
      traffic: new Traffic(),
      refused: () => {},
      gone: () => {},
    })
    member.onEnd = (end) => {
      this.ends.push(end)
      this.#wake()
    }
    const handlers = table<Member>(leaving, {
      [PUBLISH]: ([, request, , topic]: PublishMessage, from) => {
        const note = (text: string): void => {
          this.handled.push(text)
          this.#wake()
        }
        if (topic !== 'ask') return note(`${topic} ${request}`)
        const decision = new Promise<string>((resolve, reject) => {
          this.asked.push({ allow: () => resolve('allowed'), fail: () => reject(new Error('no')) })
        })
        this.#wake()
        from.hold(PUBLISH, decision, (decided) => note(`${decided} ${request}`), 'failed')
      },
    })
    const home: Home = {
      table: handlers,
      enter() {},
      leave() {},
      dropped: (reason, _, count) => {
        this.dropped[reason] += count
      },
      rates: undefined,
      throttled() {},
      waited() {},
    }
    member.realm = home
    member.start(handlers)
    // Its peers need no HELLO.
    link.joined?.()
    cleanups.push(() => member.drop('the test is over'))
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#changed.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve()
  }
}

class NotedMember extends Member {
  onEnd: (end: SessionEnd) => void = () => {}

  protected override ended(end: SessionEnd): void {
    super.ended(end)
    this.onEnd(end)
  }
}

const publish = (request: number, topic: string, text?: string): Message => [
  PUBLISH,
  request,
  {},
  topic,
  text === undefined ? undefined : payload([text]),
]

type Opener = (to: Attachable, options?: ServeOptions) => Promise<Link>

const servers: Served[] = []

const over =
  (url: 'url' | 'rawSocketUrl' | 'longPollUrl', dial: Dial, serializer: Serializer = json): Opener =>
  async (to, options = {}) => {
    const served = await serve(to, { port: 0, longPoll: { timeout: 500 }, ...options })
    servers.push(served)
    cleanups.push(() => served.close())
    const never = new AbortController().signal
    const transport = await dial(served[url] as string, [`wamp.2.${serializer.name}`], never)
    const link = framed(transport, serializer)
    cleanups.push(() => link.terminate())
    return link
  }

const links: Record<string, Opener> = {
  WebSocket: over('url', webSocketDial()),
  'a WebSocket that deflates': (to) => over('url', webSocketDial())(to, { perMessageDeflate: true }),
  'a batched WebSocket': over('url', batching(webSocketDial())),
  RawSocket: over('rawSocketUrl', rawSocketDial(), cbor),
  'long polls': over('longPollUrl', longPollDial()),
  'batched long polls': over('longPollUrl', batching(longPollDial())),
  'a MessagePort': async (to) => {
    const { port1, port2 } = new MessageChannel()
    const accepting = acceptPorts(to, port2 as never)
    cleanups.push(() => {
      accepting.close()
      port1.close()
    })
    return framed(await portDial(port1 as never)('', ['wamp.2.json'], new AbortController().signal), json)
  },
  'wires in memory': async (to) => {
    const { a, b } = wires()
    to.attach(framed(b, json))
    return framed(a, json)
  },
  'a link in memory': async (to) => {
    const [ours, theirs] = linked()
    to.attach(ours)
    return theirs
  },
}

/** Enough messages to pause reading, and far more than the buffers between two sockets hold. */
const MANY = 400
const LONG = 'x'.repeat(32_768)

describe.each(Object.entries(links))('over %s', (_name, open) => {
  test('holds the messages behind an undecided one in order, and decides the next in its turn', async () => {
    const router = new Waiting()
    const link = await open(router)
    link.open({ message() {}, failed() {}, closed() {} })
    for (const [at, topic] of ['a', 'ask', 'b', 'ask', 'c'].entries()) link.send(publish(at + 1, topic))
    await router.until(() => router.asked.length === 1)
    expect(router.handled).toEqual(['a 1'])
    router.asked[0]?.allow()
    await router.until(() => router.asked.length === 2)
    expect(router.handled).toEqual(['a 1', 'allowed 2', 'b 3'])
    router.asked[1]?.fail()
    await router.until(() => router.handled.length === 5)
    expect(router.handled).toEqual(['a 1', 'allowed 2', 'b 3', 'failed 4', 'c 5'])
    link.send(publish(6, 'd'))
    await router.until(() => router.handled.length === 6)
  })

  test('is read no faster than messages are handled, and all arrive in order', async () => {
    const router = new Waiting({ held: 160 * MANY })
    const link = await open(router)
    link.open({ message() {}, failed() {}, closed() {} })
    link.send(publish(1, 'ask'))
    await router.until(() => router.asked.length === 1)
    for (let request = 2; request <= MANY; request++) link.send(publish(request, 'a', LONG))
    if (router.paused) await expect.poll(() => router.paused.length, { interval: 2 }).toBeGreaterThan(0)
    router.asked[0]?.allow()
    await router.until(() => router.handled.length === MANY)
    expect(router.handled).toEqual(['allowed 1', ...Array.from({ length: MANY - 1 }, (_, i) => `a ${i + 2}`)])
    expect(router.paused.at(-1)).toBe(false)
    expect(router.ends).toEqual([])
  })

  test('handles GOODBYE in its turn', async () => {
    const router = new Waiting()
    const link = await open(router)
    link.open({ message() {}, failed() {}, closed() {} })
    link.send(publish(1, 'ask'))
    link.send(publish(2, 'a'))
    link.send([6, {}, 'wamp.close.close_realm'])
    await router.until(() => router.asked.length === 1)
    router.asked[0]?.allow()
    await router.until(() => router.ends.length === 1)
    expect(router.ends[0]?.by).toBe('peer')
    expect(router.handled).toEqual(['allowed 1', 'a 2'])
    expect(router.dropped).toEqual({ sessions: 0, held: 0, memory: 0 })
  })

  test('ends the session at once when the connection is lost', async () => {
    const router = new Waiting()
    const link = await open(router)
    link.open({ message() {}, failed() {}, closed() {} })
    link.send(publish(1, 'ask'))
    link.send(publish(2, 'a'))
    await router.until(() => router.asked.length === 1)
    link.terminate()
    await router.until(() => router.ends.length === 1)
    expect(router.ends[0]?.by).toBe('loss')
    router.asked[0]?.allow()
    await Promise.resolve()
    expect(router.handled).toEqual([])
    expect(router.dropped.sessions).toBe(0)
  })
})

describe('a session that exceeds the limit of held messages', () => {
  test.each([
    ['messages', { held: 3 }, 5],
    ['bytes', { heldBytes: 3000 }, 3],
  ])('in %s is ended and counted', async (_what, limits, last) => {
    const router = new Waiting(limits)
    const { a, b } = wires()
    const link = framed(b, json)
    // A link that cannot be paused.
    router.attach({ ...bare(link) })
    const heard: Message[] = []
    const client = framed(a, json)
    client.open({ message: (message) => heard.push(message), failed() {}, closed() {} })
    for (let request = 1; request <= last; request++)
      client.send(publish(request, request === 1 ? 'ask' : 'a', LONG.slice(0, 1500)))
    await router.until(() => router.ends.length === 1)
    await expect.poll(() => heard, { interval: 2 }).toHaveLength(1)
    expect(heard[0]?.slice(0, 3)).toEqual([3, expect.anything(), 'wampy.error.limit_exceeded'])
    expect(router.dropped).toMatchObject({ sessions: 1, held: last - 2 })
    expect(router.handled).toEqual([])
  })
})

function bare(link: Link): Link {
  return {
    get backlog() {
      return link.backlog
    },
    open: (sink) => link.open(sink),
    send: (message) => link.send(message),
    close: () => link.close(),
    terminate: () => link.terminate(),
  }
}

describe('a paused connection', () => {
  const quick: ServeOptions = { pingInterval: 40, pingTimeout: 40 }

  test.each(['WebSocket', 'RawSocket', 'a batched WebSocket'])('of %s counts as alive', async (name) => {
    const router = new Waiting()
    const link = await links[name]!(router, quick)
    link.open({ message() {}, failed() {}, closed() {} })
    link.send(publish(1, 'ask'))
    for (let request = 2; request <= MANY; request++) link.send(publish(request, 'a', LONG))
    await expect.poll(() => router.paused, { interval: 2 }).toEqual([true])
    // Two later ones that answer no ping are ended meanwhile.
    await silent()
    await silent()
    expect(router.ends).toHaveLength(2)
    router.asked[0]?.allow()
    await router.until(() => router.handled.length === MANY)
  })

  test.each(['WebSocket', 'RawSocket', 'a batched WebSocket'])('of %s is noticed when it breaks', async (name) => {
    const router = new Waiting()
    const link = await links[name]!(router, quick)
    link.open({ message() {}, failed() {}, closed() {} })
    link.send(publish(1, 'ask'))
    for (let request = 2; request <= MANY; request++) link.send(publish(request, 'a', LONG))
    await expect.poll(() => router.paused, { interval: 2 }).toEqual([true])
    link.terminate()
    await router.until(() => router.ends.length === 1)
    expect(router.ends[0]?.by).toBe('loss')
    expect(router.handled).toEqual([])
  })
})

/** A client of the last opened server that answers nothing; resolves when the server has ended it. */
async function silent(): Promise<void> {
  const socket = connect({ port: servers.at(-1)?.port as number })
  socket.on('error', () => {})
  socket.write(Buffer.from([0x7f, 0xf1, 0, 0]))
  socket.resume()
  await new Promise((resolve) => socket.on('close', resolve))
}

test('a socket that is half closed while little is held ends its session at once', async () => {
  const router = new Waiting()
  const { rawSocketUrl, close } = await serve(router, { port: 0 })
  cleanups.push(close)
  const socket = connect({ port: Number(new URL(rawSocketUrl as string).port), allowHalfOpen: true })
  cleanups.push(() => socket.destroy())
  await once(socket, 'connect')
  const frame = (message: unknown[]): Buffer => {
    const text = Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(4)
    head.writeUInt32BE(text.length)
    return Buffer.concat([head, text])
  }
  socket.write(Buffer.from([0x7f, 0xf1, 0, 0]))
  socket.write(frame([PUBLISH, 1, {}, 'ask']))
  socket.end(frame([PUBLISH, 2, {}, 'a', [LONG]]))
  await router.until(() => router.ends.length === 1)
  expect(router.ends[0]?.by).toBe('loss')
  expect(router.dropped.held).toBe(1)
})
