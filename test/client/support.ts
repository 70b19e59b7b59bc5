/** Shared by the tests of the client: scripted routers that welcome, records of events, and a check for leftovers. */

import { beforeEach, expect, onTestFinished, vi } from 'vitest'
import { type Client, type ClientEvents, type ClientOptions, type Connector, RpcClient, WampClient } from 'wampy-ts'
import {
  GOODBYE,
  HELLO,
  openWorld,
  REGISTER,
  REGISTERED,
  type Scripted,
  SUBSCRIBE,
  SUBSCRIBED,
  scriptedRouter,
  type WireMessage,
} from 'wampy-ts/testing'

const broker = { features: { subscriber_blackwhite_listing: true } }
export const WELCOMED: WireMessage = [2, 4711, { roles: { broker, dealer: {} } }]

/** Answers messages other than HELLO and GOODBYE. */
export type Answer = (message: WireMessage, peer: Scripted) => void

/** The answer to the HELLO of the `attempt`th connection, from 1; none if it is undefined. */
export type Welcome = (attempt: number) => WireMessage | undefined

/** A scripted router that welcomes, answers GOODBYE, and leaves the rest to the test. */
export function welcoming(answer: Answer = () => {}, welcome: Welcome = () => WELCOMED) {
  const router = scriptedRouter((message, peer) => {
    if (message[0] === HELLO) {
      const reply = welcome(router.peers.length)
      if (reply) peer.send(reply)
    } else if (message[0] === GOODBYE) {
      if (message[2] !== 'wamp.close.goodbye_and_out') peer.send([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
    } else answer(message, peer)
  })
  return router
}

/** Grants every SUBSCRIBE and REGISTER: the id is that of the request plus 1000. */
export const granting: Answer = ([code, request], peer) => {
  if (code === SUBSCRIBE) peer.send([SUBSCRIBED, request, (request as number) + 1000])
  if (code === REGISTER) peer.send([REGISTERED, request, (request as number) + 1000])
}

/** A client that is stopped at the end of the test. */
export function clientOf(router: Connector | string, options: ClientOptions = {}): WampClient {
  const client = new WampClient({ router, ...options })
  onTestFinished(() => client.stop())
  return client
}

/** A started client, and its one connection to its scripted router. */
export async function joined(answer?: Answer, options: ClientOptions = {}) {
  const router = welcoming(answer)
  const client = clientOf(router, { reconnect: false, ...options })
  await client.start()
  return { router, client, peer: router.peers[0] as Scripted }
}

/** Like `joined`, with a dealer that announces features. */
export async function joinedTo(features: readonly string[], answer?: Answer, options: ClientOptions = {}) {
  const dealer = { features: Object.fromEntries(features.map((feature) => [feature, true])) }
  const router = welcoming(answer, () => [2, 4711, { roles: { broker: {}, dealer } }])
  const client = clientOf(router, { reconnect: false, liveness: false, ...options })
  await client.start()
  return { router, client, peer: router.peers[0] as Scripted }
}

/** A promise that the test resolves. */
export function gate<T = void>() {
  let open!: (value: T) => void
  let fail!: (error: unknown) => void
  const opened = new Promise<T>((yes, no) => {
    open = yes
    fail = no
  })
  return { open, fail, opened }
}

/** The events of a client from now on: `['state', 'ready']`. */
export function eventsOf(client: Client): unknown[][] {
  const events: unknown[][] = []
  for (const name of ['state', 'ready', 'lost', 'retry', 'stopped', 'failed', 'error'] as const) {
    client.on(name, (...args: unknown[]) => {
      events.push([name, ...args])
    })
  }
  return events
}

/** The next event of a kind. */
export function next<Name extends keyof ClientEvents>(client: Client, name: Name) {
  return new Promise<Parameters<ClientEvents[Name]>>((resolve) => {
    client.once(name, ((...args: Parameters<ClientEvents[Name]>) => resolve(args)) as never)
  })
}

// Taken before any test replaces it.
const realNow = performance.now.bind(performance)

/** Turns of the event loop until the condition holds; the clock of the test may stand still meanwhile. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = realNow() + 5000
  while (!holds()) {
    if (realNow() > deadline) throw new Error(`still waiting for ${holds}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Stops the clock for `pass`; turns of the event loop go on by themselves. */
export function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Advances the clock in steps, each with about ten turns of the event loop for its effects. */
export async function pass(time: number, step = 100): Promise<void> {
  for (let left = time; left > 0; left -= step) {
    await vi.advanceTimersByTimeAsync(Math.min(step, left))
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The error with which a promise rejects. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${String(value)}`)
    },
    (error: unknown) => error,
  )
}

export const uri = (name: string): object => expect.objectContaining({ uri: name })

/** Checks after every test of a file that no rejection was unhandled and that no socket and no timer is left. */
export function leavesNothing(): void {
  beforeEach(() => {
    const before = open()
    const unheard: unknown[] = []
    const hear = (reason: unknown) => unheard.push(reason)
    process.on('unhandledRejection', hear)
    // The first to be registered is the last to run.
    onTestFinished(async () => {
      vi.useRealTimers()
      const deadline = Date.now() + 5000
      let left = more(before)
      while (left && Date.now() < deadline) {
        await new Promise((resolve) => setImmediate(resolve))
        left = more(before)
      }
      process.off('unhandledRejection', hear)
      expect(unheard, 'rejections that nobody heard').toEqual([])
      expect(left, 'left open').toBe('')
    })
  })
}

function open(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const resource of process.getActiveResourcesInfo()) counts[resource] = (counts[resource] ?? 0) + 1
  return counts
}

function more(before: Record<string, number>): string {
  return Object.entries(open())
    .filter(([resource, count]) => /^(TCP|Timeout|GetAddr)/.test(resource) && count > (before[resource] ?? 0))
    .map(([resource, count]) => `${count - (before[resource] ?? 0)} ${resource}`)
    .join(', ')
}

/** A service in a world of its own, and a client that is typed from its class. */
export async function serving<Service extends WampClient>(
  Class: new (options: ClientOptions) => Service,
  link: 'linked' | 'wires' = 'wires',
) {
  const world = await openWorld({ link })
  const service = new Class({ router: world.connector('service') })
  const client = new RpcClient({ service: Class, router: world.connector('client') })
  await service.start()
  return {
    world,
    service,
    client,
    async [Symbol.asyncDispose]() {
      await client.stop()
      await service.stop()
      await world[Symbol.asyncDispose]()
    },
  }
}

/** A simulated page: the events of its window and its document, and the number of their listeners. */
export class Page extends EventTarget {
  visibilityState = 'visible'
  readonly window = new EventTarget()
  listeners = 0

  constructor() {
    super()
    for (const target of [this as EventTarget, this.window]) {
      const { addEventListener, removeEventListener } = target
      target.addEventListener = (...args: Parameters<typeof addEventListener>) => {
        this.listeners++
        addEventListener.apply(target, args)
      }
      target.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
        this.listeners--
        removeEventListener.apply(target, args)
      }
    }
    vi.stubGlobal('document', this)
    vi.stubGlobal('addEventListener', this.window.addEventListener)
    vi.stubGlobal('removeEventListener', this.window.removeEventListener)
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
  }

  show(state: 'visible' | 'hidden'): void {
    this.visibilityState = state
    this.dispatchEvent(new Event('visibilitychange'))
  }

  /** An event of the window. */
  fire(type: 'online' | 'pagehide' | 'pageshow', persisted = true): void {
    this.window.dispatchEvent(Object.assign(new Event(type), { persisted }))
  }
}
