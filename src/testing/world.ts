/** A router with clients for one test; disposal checks that the clients left nothing behind in the router. */

import type { ClientOptions } from '../client/options.ts'
import { WampClient } from '../client/wamp-client.ts'
import { WampRouter } from '../client/wamp-router.ts'
import { ANY_OBJECT, checkRules, type OptionRules, SERIALIZERS } from '../protocol/option-rules.ts'
import { Router, type RouterOptions } from '../router/router.ts'
import { json } from '../serializer/json.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { framed } from '../session/framed.ts'
import type { Connector, Link } from '../session/link.ts'
import { linked } from '../session/linked.ts'
import { wires } from '../transport/memory.ts'
import { tap, WireLog } from './tap.ts'

export interface WorldOptions {
  /** In memory message by message (default), in memory frame by frame, or over real sockets (in Node only). */
  readonly link?: 'linked' | 'wires' | 'websocket'
  /** The serializer of the clients, except over `linked`. Default JSON. */
  readonly serializer?: Serializer
  readonly router?: RouterOptions
}

const LINKS: readonly unknown[] = ['linked', 'wires', 'websocket'] satisfies WorldOptions['link'][]

const WORLD_RULES: OptionRules<WorldOptions> = {
  link: [LINKS.join(', '), (value) => LINKS.includes(value)],
  serializer: ['a serializer, such as json', (value) => SERIALIZERS[1](value)],
  router: ANY_OBJECT,
}

export class World {
  readonly router: Router
  /** All messages between the joined clients and the router. */
  readonly log = new WireLog()
  readonly #connect: () => Promise<Link>
  readonly #close: () => Promise<void>
  readonly #clients: WampClient[] = []

  constructor(router: Router, connect: () => Promise<Link>, close: () => Promise<void>) {
    this.router = router
    this.#connect = connect
    this.#close = close
  }

  /** A connector for a client that the test creates itself; its link is logged under this name. */
  connector(name: string): Connector {
    return { name: 'the world', connect: async () => tap(await this.#connect(), name, this.log) }
  }

  /** Creates clients of these names that have joined. They do not reconnect after a loss. */
  join<const Names extends readonly string[]>(...names: Names): Promise<{ [Key in keyof Names]: WampClient }>
  async join(...names: string[]): Promise<WampClient[]> {
    return Promise.all(names.map((name) => this.client(name)))
  }

  /** Creates a client that has joined. It does not reconnect after a loss unless `options` enable that. */
  async client(name: string, options: ClientOptions = {}): Promise<WampClient> {
    const client = new WampClient({ reconnect: false, ...options, name, router: this.connector(name) })
    this.#clients.push(client)
    await client.start()
    return client
  }

  /**
   * Stops the clients and the router.
   *
   * @throws Error if the realms still own a session, a subscription, a registration or a call after the clients have stopped
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()))
    const left = await waitUntilEmpty(() => leftovers(this.router))
    await this.router.close()
    await this.#close()
    if (left) throw new Error(`left behind in the router: ${left}`)
  }
}

/** Opens a world; `await using` disposes of it. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  checkRules('openWorld', options, WORLD_RULES)
  const { link = 'linked', serializer = json } = options
  const router = new Router(options.router)
  if (link === 'websocket') {
    // Imported here, because tests in memory need nothing of Node.
    const { serve } = await import('../node.ts')
    const served = await serve(router, { port: 0 })
    const at = new WampRouter({ url: served.url })
    return new World(
      router,
      () => at.connect([serializer], new AbortController().signal),
      () => served.close(),
    )
  }
  const connect = async (): Promise<Link> => {
    if (link === 'linked') {
      const [ours, theirs] = linked()
      router.attach(ours)
      return theirs
    }
    const { a, b } = wires({ protocol: subprotocolOf(serializer) })
    router.attach(framed(b, serializer))
    return framed(a, serializer)
  }
  return new World(router, connect, async () => {})
}

/** Formats the objects that a router still owns; empty if there are none. */
function leftovers(router: Router): string {
  const { sessions, subscriptions, registrations, calls } = router.stats()
  return Object.entries({ sessions, subscriptions, registrations, calls })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
}

/** Repeats a query until the answer is empty or the time is up; resolves to the last answer. */
async function waitUntilEmpty(query: () => string): Promise<string> {
  const deadline = Date.now() + 2000
  let answer = query()
  while (answer && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    answer = query()
  }
  return answer
}
