/**
 * The soak: for two minutes sessions come and go, fail to log in, lose their connections and return, and are killed, while they
 * publish and call. Nothing that was acknowledged may be lost, every call must settle, and in the end nothing may be left.
 */

import type { ChildProcess } from 'node:child_process'
import {
  batching,
  type ClientOptions,
  type Dial,
  longPollDial,
  type Transport,
  WampClient,
  WampRouter,
  webSocketDial,
} from 'wampy-ts'
import { type ClientAuth, scram, ticket, wampcra } from 'wampy-ts/auth'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { rawSocketDial } from 'wampy-ts/node'
import { json } from 'wampy-ts/router'
import { heapInUse, PASSWORD, resourcesOf } from './leftovers.ts'
import type { SoakReport } from './soak-router.ts'

/** Sessions that come and go at the same time. */
const WORKERS = 24
/** Messages of one session of a worker. */
const MESSAGES = 8
/** Milliseconds for links, timers and sockets to go when everybody has left. */
const QUIET = 20_000
/** Seconds of the soak before it, in which compilers and caches fill the heaps. */
const WARM_UP = 30
/** Bytes by which a heap may still grow; a session that is not released costs tens of thousands. */
const SLACK = 3 * 2 ** 20

export interface SoakAddresses {
  readonly url: string
  readonly rawSocketUrl: string
  readonly longPollUrl: string
}

export interface Soaked {
  readonly sessions: number
  readonly refused: number
  readonly cut: number
  readonly killed: number
  readonly acknowledged: number
  readonly answered: number
  /** Calls that failed because one of their ends was cut, killed or not authorized. */
  readonly failed: number
  /** Acknowledged publications that a subscriber missed, or received twice. */
  readonly lostPublications: number
  /** Calls that never settled, or were answered wrongly. */
  readonly lostCalls: number
  readonly heap: { readonly router: readonly [number, number]; readonly clients: readonly [number, number] }
  /** What should not be there in the end; empty if all is well. */
  readonly left: readonly string[]
}

const any = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item

class Soak {
  readonly #addresses: SoakAddresses
  readonly counts = { sessions: 0, refused: 0, cut: 0, killed: 0, answered: 0, failed: 0, wrong: 0, unsettled: 0 }
  readonly problems = new Set<string>()
  /** Numbers of acknowledged publications. */
  readonly #acknowledged = new Set<number>()
  readonly #heard = [new Map<number, number>(), new Map<number, number>()] as const
  #number = 0
  #listeners: WampClient[] = []
  #admin: WampClient | undefined

  constructor(addresses: SoakAddresses) {
    this.#addresses = addresses
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  /** The sessions that stay: two subscribers, a callee, and one that ends others. */
  async open(): Promise<void> {
    const { url, rawSocketUrl } = this.#addresses
    const admin = [ticket('admin', PASSWORD)]
    const routers = [new WampRouter({ url }), new WampRouter({ url: rawSocketUrl, dial: rawSocketDial() })]
    for (const [at, router] of routers.entries()) {
      const client = new WampClient({ router, auth: admin, serializers: [at ? cbor : json] })
      await client.start()
      const heard = this.#heard[at as 0 | 1]
      const note = ([number]: readonly unknown[]): void => {
        heard.set(number as number, (heard.get(number as number) ?? 0) + 1)
      }
      await client.subscribe(at ? 'soak.events.' : 'soak.events.all', note, at ? { match: 'prefix' } : {})
      this.#listeners.push(client)
    }
    const [callee] = this.#listeners
    await callee?.register('soak.echo', ([number]) => number)
    this.#admin = callee
  }

  async run(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000
    const worker = async (): Promise<void> => {
      while (performance.now() < end) {
        try {
          await any([this.#comes, this.#comes, this.#isRefused, this.#isCut, this.#isKilled]).call(this)
        } catch (error) {
          this.problems.add(String(error))
        }
      }
    }
    await Promise.all(Array.from({ length: WORKERS }, worker))
  }

  /** Ends the sessions that stay, when they have received everything, and counts the losses. */
  async close(): Promise<number> {
    const last = ++this.#number
    await this.#admin?.publish('soak.events.all', [last], {}, { acknowledge: true, exclude_me: false })
    const deadline = performance.now() + QUIET
    while (this.#heard.some((heard) => !heard.has(last)) && performance.now() < deadline) await pause(10)
    for (const client of this.#listeners) await client.stop()
    let lost = 0
    for (const number of this.#acknowledged) {
      for (const heard of this.#heard) if (heard.get(number) !== 1) lost++
    }
    return lost
  }

  #client(
    options: ClientOptions & { auth?: readonly ClientAuth[] } = {},
    opened?: (transport: Transport) => void,
  ): WampClient {
    const { url, rawSocketUrl, longPollUrl } = this.#addresses
    const [at, dial] = any<readonly [string, Dial]>([
      [url, webSocketDial()],
      [url, batching(webSocketDial())],
      [rawSocketUrl, rawSocketDial()],
      [longPollUrl, longPollDial()],
    ])
    const noted: Dial = async (...args) => {
      const transport = await dial(...args)
      opened?.(transport)
      return transport
    }
    const auth = any([ticket('joe', PASSWORD), wampcra('jane', PASSWORD), scram('jim', PASSWORD)])
    const client = new WampClient({
      router: new WampRouter({ url: at, dial: noted }),
      auth: [auth],
      serializers: [any([json, cbor, msgpack])],
      reconnect: false,
      ...options,
    })
    client.on('error', () => {})
    return client
  }

  /** Publishes and calls for a while; what fails after the end of the session is counted, not reported. */
  async #works(client: WampClient): Promise<void> {
    const work: Promise<unknown>[] = []
    for (let n = 0; n < MESSAGES; n++) {
      work.push(this.#publishes(client), this.#calls(client))
      if (n % 3 === 0) await pause(1)
    }
    await Promise.all(work)
  }

  async #publishes(client: WampClient): Promise<void> {
    const number = ++this.#number
    try {
      await client.publish('soak.events.all', [number], {}, { acknowledge: true })
      this.#acknowledged.add(number)
    } catch (error) {
      this.#expected(error)
    }
    // Denied in silence.
    if (number % 16 === 0) {
      await client.publish('soak.secret', [number]).catch((error) => this.#expected(error))
    }
  }

  async #calls(client: WampClient): Promise<void> {
    const number = ++this.#number
    this.counts.unsettled++
    try {
      const result = await client.call(any(['soak.echo', 'soak.echo', 'soak.shared']), [number])
      if (result === number) this.counts.answered++
      else this.counts.wrong++
    } catch (error) {
      this.counts.failed++
      this.#expected(error)
    } finally {
      this.counts.unsettled--
    }
  }

  async #comes(): Promise<void> {
    const client = this.#client()
    await client.start()
    this.counts.sessions++
    await client.register('soak.shared', ([number]) => number, { invoke: 'roundrobin' })
    const handle = await client.subscribe('soak.events.', () => {}, { match: 'prefix' })
    await this.#works(client)
    if (Math.random() < 0.5) await handle.unsubscribe()
    await client.stop()
  }

  async #isRefused(): Promise<void> {
    const auth = any([
      ticket('joe', 'wrong'),
      ticket('nobody', PASSWORD),
      wampcra('jane', 'wrong'),
      wampcra('nobody', 'wrong'),
      scram('jim', 'wrong'),
    ])
    const client = this.#client({ auth: [auth] })
    const refused = await client.start().then(
      () => false,
      (error: { uri?: string }) => error.uri === 'wamp.error.authentication_failed',
    )
    if (refused) this.counts.refused++
    else this.problems.add('a login with a wrong secret did not fail as it should')
    await client.stop()
  }

  /** Loses its connection while it works, returns, and works on. */
  async #isCut(): Promise<void> {
    let transport: Transport | undefined
    const client = this.#client({ reconnect: { initial: 5, max: 20 } }, (opened) => {
      transport = opened
    })
    await client.start()
    this.counts.sessions++
    await client.register('soak.shared', ([number]) => number, { invoke: 'roundrobin' })
    const working = this.#works(client)
    await pause(Math.random() * 5)
    const returned = new Promise<void>((resolve) => client.once('ready', () => resolve()))
    transport?.terminate()
    this.counts.cut++
    await Promise.all([working, returned])
    this.counts.sessions++
    await this.#works(client)
    await client.stop()
  }

  async #isKilled(): Promise<void> {
    const client = this.#client()
    await client.start()
    this.counts.sessions++
    const { id } = client.session
    const working = this.#works(client)
    await pause(Math.random() * 3)
    // It may have left already.
    await this.#admin?.call('wamp.session.kill', [id]).then(
      () => this.counts.killed++,
      (error) => this.#expected(error),
    )
    await working
    await client.stop()
  }

  /** The errors of operations whose session, or whose callee's session, was ended on purpose. */
  #expected(error: unknown): void {
    const { uri } = error as { uri?: string }
    if (uri === undefined || !EXPECTED.has(uri)) this.problems.add(`${uri}: ${(error as Error).message}`)
  }
}

const EXPECTED: ReadonlySet<string> = new Set([
  'wamp.close.killed',
  'wamp.error.canceled',
  'wamp.error.no_such_procedure',
  'wamp.error.no_available_callee',
  'wamp.error.no_such_session',
  'wampy.error.connection_lost',
  'wampy.error.not_joined',
])

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

const router = (child: ChildProcess): Promise<SoakReport> =>
  new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`the router ended with code ${code}`))
    child.once('exit', gone)
    child.once('message', (report) => {
      child.off('exit', gone)
      resolve(report as SoakReport)
    })
    child.send('report')
  })

/** What is left once everybody has gone, and the resources are those of the beginning. */
async function quiet(child: ChildProcess, { resources }: SoakReport): Promise<SoakReport> {
  const deadline = performance.now() + QUIET
  for (;;) {
    const report = await router(child)
    if ((report.links === 0 && report.resources === resources) || performance.now() > deadline) return report
    await pause(100)
  }
}

type Outcome = Pick<Soak, 'counts' | 'problems'> & { readonly acknowledged: number; readonly lost: number }

/** One soak; its clients, and its record of each publication, are gone at its end. */
async function soaked(addresses: SoakAddresses, seconds: number): Promise<Outcome> {
  const soak = new Soak(addresses)
  await soak.open()
  await soak.run(seconds)
  const lost = await soak.close()
  const { counts, problems, acknowledged } = soak
  return { counts, problems, acknowledged, lost }
}

/** The statistics that must be zero again. */
function remaining({ stats, links }: SoakReport): string[] {
  const { sessions, subscriptions, registrations, calls, queued, testaments, retained, bytes, dropped } = stats
  // Messages are held, and dropped, when a session is killed while a decision about it is awaited.
  const { slow, unsendable, memory, observations } = dropped
  const counts = {
    links,
    sessions,
    subscriptions,
    registrations,
    calls,
    queued,
    testaments,
    retained,
    bytes: bytes.total,
  }
  const drops = { slow, unsendable, memory, observations, 'dropped sessions': dropped.sessions }
  return Object.entries({ ...counts, ...drops })
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${count} ${name}`)
}

/** Soaks a router for so many seconds, after a short soak that fills its caches. */
export async function soakRouter(child: ChildProcess, addresses: SoakAddresses, seconds: number): Promise<Soaked> {
  const fresh = await router(child)
  const own = resourcesOf()
  await soaked(addresses, Math.min(WARM_UP, seconds))
  const before = await quiet(child, fresh)
  const clients = heapInUse()
  const { counts, problems, acknowledged, lost } = await soaked(addresses, seconds)
  const after = await quiet(child, fresh)
  const heap = {
    router: [before.heap, after.heap] as const,
    clients: [clients, heapInUse()] as const,
  }
  const left = [...remaining(after).map((what) => `${what} of the router`), ...problems]
  const holding = [
    ['router', fresh.resources, after.resources],
    ['clients', own, resourcesOf()],
  ] as const
  for (const [name, first, last] of holding) {
    if (last !== first) left.push(`the ${name} hold ${last}; in the beginning ${first}`)
  }
  for (const [name, [first, last]] of Object.entries(heap)) {
    if (last - first > SLACK) left.push(`the heap of the ${name} grew by ${Math.round((last - first) / 1024)} KiB`)
  }
  const { sessions, refused, cut, killed, answered, failed, wrong, unsettled } = counts
  for (const [name, count] of Object.entries({ sessions, refused, cut, killed, answered })) {
    if (count === 0) left.push(`nothing to judge by: no ${name}`)
  }
  return {
    sessions,
    refused,
    cut,
    killed,
    acknowledged,
    answered,
    failed,
    lostPublications: lost,
    lostCalls: wrong + unsettled,
    heap,
    left,
  }
}
