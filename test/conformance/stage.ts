/** A router and its clients; a test decides which connection breaks when, and time passes only in idle moments. */

import { expect, onTestFinished, vi } from 'vitest'
import { type Client, type ClientOptions, type Connector, type Link, type Registration, WampClient } from 'wampy-ts'
import { framed, json, Router, type RouterOptions } from 'wampy-ts/router'
import { CALL, type Direction, GOODBYE, HELLO, scripted, type Wires, wires } from 'wampy-ts/testing'

/** The record of one awaited operation: its values, in order, and its end. */
export interface Outcome {
  readonly given: unknown[]
  error?: unknown
  /** True if it may end early without an error, like events, which nobody requests. */
  readonly loose: boolean
  /** The client that requested it: it may wait for a session that never starts. */
  readonly by?: string | undefined
  readonly ended?: Promise<void>
}

/** Simulated milliseconds after which a waiting operation counts as stuck. */
const PATIENCE = 120_000

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const unheard: unknown[] = []

/** Stops the clock for one test: time passes only if a stage has nothing else to do. */
export function simulate(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => {
    process.off('unhandledRejection', hear)
    unheard.length = 0
    vi.useRealTimers()
  })
}

/** One connection of one client. */
export class Line {
  readonly near: Link
  readonly far: Link
  readonly wires: Wires
  /** Blocks both directions without an end. */
  silent = false

  constructor(moved: (counts: boolean) => void) {
    this.wires = wires({ hold: true })
    this.near = this.#watched(framed(this.wires.a, json), moved)
    this.far = this.#watched(framed(this.wires.b, json), moved)
  }

  /** Breaks the connection; messages on their way are lost. */
  break(): void {
    this.near.terminate()
    this.far.terminate()
  }

  /** The same link, which reports arrived messages. */
  #watched(link: Link, moved: (counts: boolean) => void): Link {
    return {
      get backlog() {
        return link.backlog
      },
      open: (sink) =>
        link.open({
          message: (message) => {
            if (this.silent) return
            sink.message(message)
            moved(true)
          },
          failed: (error) => sink.failed(error),
          closed: (info) => {
            sink.closed(info)
            moved(false)
          },
        }),
      send: (message) => {
        if (!this.silent) link.send(message)
      },
      close: (code, reason) => link.close(code, reason),
      terminate: () => link.terminate(),
    }
  }
}

export class Stage {
  router: Router
  readonly outcomes = new Map<string, Outcome>()
  readonly clients = new Map<string, Client>()
  /** The current or last connection of each client. */
  readonly lines = new Map<string, Line>()
  /** Messages that have arrived while `counting`. */
  arrived = 0
  counting = false
  /** Called for each message that has arrived and was handled, while `counting`. */
  heard: (count: number) => void = () => {}
  readonly #options: RouterOptions
  readonly #routers: Router[]
  readonly #all: Line[] = []
  readonly #waiting = new Map<string, Promise<unknown>>()
  readonly #errors: unknown[] = []
  #moves = 0
  #slept = 0
  #driven = false

  constructor(options: RouterOptions = {}) {
    this.#options = options
    this.router = new Router({ controlOthers: true, ...options })
    this.#routers = [this.router]
  }

  /** Starts a client. It does not reconnect after a loss unless configured. */
  client<Made extends Client = WampClient>(
    name: string,
    options: ClientOptions = {},
    make: new (options: ClientOptions) => Made = WampClient as never,
  ): Made {
    const router: Connector = { name: 'the stage', connect: async () => this.#connect(name) }
    const client = new make({ reconnect: false, ...options, name, router })
    client.on('error', (error) => this.#errors.push(error))
    this.clients.set(name, client)
    void this.record(`start of ${name}`, client.start(), client)
    return client
  }

  /** Stops it on purpose. */
  leave(name: string): void {
    const what = `stop of ${name}`
    if (!this.outcomes.has(what)) void this.record(what, this.clients.get(name)?.stop())
  }

  /** Records the outcome of a promise. Returns its value, or undefined if it rejected. */
  async record<T>(what: string, promise: Promise<T> | undefined, by?: Client): Promise<T | undefined> {
    let value: T | undefined
    if (promise) {
      await this.#wait({ what, by }, async ({ given }) => {
        value = await promise
        // Handles, and operations without a result, are recorded without a value.
        given.push(isPlain(value) ? value : 'done')
      })
    }
    return value
  }

  /** Reads an iterable to its end, and records its values. */
  loop(what: string, items: AsyncIterable<unknown>, { loose, by }: { loose?: boolean; by?: Client } = {}) {
    return this.#wait({ what, loose, by }, async ({ given }) => {
      for await (const item of items) given.push(item)
    })
  }

  /** Time that a story spends. */
  sleep(time: number): Promise<void> {
    const slept = new Promise<void>((resolve) => setTimeout(resolve, time))
    const what = `sleep ${++this.#slept}`
    this.#waiting.set(what, slept)
    return slept.finally(() => this.#waiting.delete(what))
  }

  /** Records a value that nothing waits for. */
  note(what: string, value: unknown): void {
    const outcome = this.outcomes.get(what) ?? { given: [], loose: true }
    this.outcomes.set(what, outcome)
    outcome.given.push(value)
  }

  /** Runs everything until a promise settles; time passes if nothing else happens. */
  async play<T>(promise: Promise<T>): Promise<T> {
    let over = false
    const settled = () => {
      over = true
      this.#moves++
    }
    promise.then(settled, settled)
    const end = performance.now() + PATIENCE
    while (!over) {
      // A story may wait for something itself: only one of the waiters drives the stage.
      if (this.#driven) await turn()
      else {
        this.#driven = true
        await this.#quiet(3)
        this.#driven = false
        if (over) break
        if (vi.getTimerCount() === 0 || performance.now() > end) {
          throw new Error(`waits for ever: ${[...this.#waiting.keys()].join(', ') || 'nobody'}`)
        }
        vi.advanceTimersToNextTimer()
      }
    }
    return promise
  }

  /** Runs everything that needs no time. */
  async rest(): Promise<void> {
    await this.#quiet(this.#driven ? 2 : 3)
    this.#moves++
  }

  async #quiet(turns: number): Promise<void> {
    for (let quiet = 0; quiet < turns; ) {
      const before = this.#moves
      for (const { wires } of this.#all) wires.release()
      await turn()
      quiet = this.#moves === before ? quiet + 1 : 0
    }
  }

  /** The fences with waiting messages: `caller >` for those it has sent and `> caller` for those on their way to it. */
  get fences(): Map<string, Direction> {
    const found = new Map<string, Direction>()
    for (const [name, { wires }] of this.lines) {
      if (wires.toB.held.length > 0) found.set(`${name} >`, wires.toB)
      if (wires.toA.held.length > 0) found.set(`> ${name}`, wires.toA)
    }
    return found
  }

  /** Runs everything that is not held at a fence. */
  async hold(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const before = this.#moves
      await turn()
      quiet = this.#moves === before ? quiet + 1 : 0
    }
  }

  /** Time passes. */
  pass(milliseconds: number): void {
    vi.advanceTimersByTime(milliseconds)
  }

  /** Kills a session, like an administrator. */
  kill(name: string): void {
    const client = this.clients.get(name)
    if (client?.state !== 'ready') return
    const admin = scripted(this.router)
    admin.send([HELLO, 'realm1', { roles: { caller: {} } }])
    admin.send([CALL, 1, {}, 'wamp.session.kill', [client.session.id]], [GOODBYE, {}, 'com.example.done'])
  }

  /** The router ends with all its connections, and a new one replaces it. */
  replace(end: (before: Router) => void): void {
    const before = this.router
    this.router = new Router({ controlOthers: true, ...this.#options })
    this.#routers.push(this.router)
    end(before)
  }

  /** Waits until every recorded operation has ended. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) await this.play(Promise.all(this.#waiting.values()))
    await this.rest()
  }

  /**
   * Waits until every operation has ended, and checks that the remaining clients work, that they and the router agree on
   * their handles, and that nothing is left when they have stopped.
   */
  async finish(check: () => void = () => {}): Promise<void> {
    await this.settled()
    const there: Client[] = []
    for (const [name, client] of this.clients) {
      const { state } = client
      // Silence is noticed in time.
      if (state === 'ready' && this.lines.get(name)?.silent) await this.play(once(client, 'lost'))
      if (client.state !== 'ready' && client.state !== 'stopped') await this.play(once(client, 'ready'))
      if (client.state === 'ready') there.push(client)
    }
    await this.settled()
    check()
    const { sessions, registrations, subscriptions, calls } = this.router.stats()
    expect({ sessions, registrations, subscriptions, calls }).toEqual({
      sessions: there.length,
      registrations: held(there.flatMap(registrationsOf)),
      subscriptions: held(there.flatMap((client) => client.subscriptions)),
      calls: 0,
    })
    const counts = await this.play(Promise.all(there.map((client) => client.call('wamp.session.count'))))
    expect(counts).toEqual(there.map(() => there.length))
    await this.play(Promise.all([...this.clients.values()].map((client) => client.stop())))
    await this.rest()
    for (const client of this.clients.values()) {
      for (const { state } of [...registrationsOf(client), ...client.subscriptions]) expect(state).not.toBe('active')
    }
    for (const router of this.#routers) {
      const { sessions, registrations, subscriptions, calls, testaments } = router.stats()
      const nothing = { sessions: 0, registrations: 0, subscriptions: 0, calls: 0, testaments: 0 }
      expect({ sessions, registrations, subscriptions, calls, testaments }).toEqual(nothing)
      await this.play(router.close())
      expect(router.links, 'links that are left').toBe(0)
    }
    expect(vi.getTimerCount(), 'timers that are left').toBe(0)
    expect(this.#errors, 'errors that clients reported').toEqual([])
    expect(unheard.splice(0), 'rejections that nobody heard').toEqual([])
  }

  async #wait(
    { what, loose = false, by }: { what: string; loose?: boolean | undefined; by?: Client | undefined },
    run: (outcome: Outcome) => Promise<void>,
  ): Promise<void> {
    if (this.outcomes.has(what)) throw new Error(`${what} is recorded twice`)
    const outcome: Outcome = { given: [], loose, by: by?.name }
    const ended = run(outcome)
      .catch((error) => {
        outcome.error = error
      })
      .finally(() => this.#waiting.delete(what))
    this.outcomes.set(what, Object.assign(outcome, { ended }))
    this.#waiting.set(what, ended)
    return ended
  }

  #connect(name: string): Link {
    const line = new Line((counts) => {
      this.#moves++
      if (counts && this.counting) this.heard(++this.arrived)
    })
    this.lines.set(name, line)
    this.#all.push(line)
    this.router.attach(line.far)
    return line.near
  }
}

function registrationsOf(client: Client): Registration[] {
  return client instanceof WampClient ? client.registrations : []
}

function once(client: Client, event: 'ready' | 'lost'): Promise<void> {
  return new Promise((resolve) => {
    client.once(event, () => resolve())
    client.once('stopped', () => resolve())
  })
}

interface Handle {
  readonly state: string
  readonly uri: string
  readonly options: { readonly match?: string }
}

/** The number of distinct subscriptions or registrations behind these handles. */
function held(handles: readonly Handle[]): number {
  const active = handles.filter(({ state }) => state === 'active')
  return new Set(active.map(({ uri, options }) => `${options.match ?? 'exact'} ${uri}`)).size
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
