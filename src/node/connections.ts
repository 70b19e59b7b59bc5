/** The connections that a server has brought to a router: how many, whether they live, and how they end. */

import type { Duplex } from 'node:stream'
import { usage } from '../protocol/error.ts'
import { COUNT, type OptionRules, SERIALIZERS } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { framed } from '../session/framed.ts'
import type { Attachable, Link, TransportInfo } from '../session/link.ts'
import { batched, isBatched, unbatchedProtocol } from '../transport/batched.ts'
import { SWEEP_RULES, Sweep, type SweepOptions } from '../transport/sweep.ts'
import type { Transport } from '../transport/transport.ts'

export interface ConnectionOptions extends SweepOptions {
  /** More are refused. No limit by default. */
  readonly maxConnections?: number | undefined
  /** JSON, CBOR and MessagePack by default. The client's order of preference decides. */
  readonly serializers?: readonly Serializer[] | undefined
}

export const CONNECTION_RULES: OptionRules<ConnectionOptions> = {
  ...SWEEP_RULES,
  maxConnections: COUNT,
  serializers: SERIALIZERS,
}

/** How long a client may take to answer the closing of its connection. */
const GOODBYE_TIMEOUT = 2_000

/** @throws WampError `wampy.error.usage` for what is not a router */
export function checkAttachable(of: string, router: unknown): void {
  if (typeof Object(router).attach === 'function') return
  throw usage(`${of} takes a Router first, such as ${of}(new Router()), got ${formatValue(router)}`)
}

export class Connections {
  readonly #router: Attachable
  readonly #serializers: ReadonlyMap<string, Serializer>
  readonly #most: number
  readonly #sweep: Sweep
  readonly #open = new Map<Transport, Promise<unknown>>()
  #closing = false

  constructor(router: Attachable, serializers: readonly Serializer[], options: ConnectionOptions) {
    this.#router = router
    this.#serializers = new Map(serializers.map((each) => [subprotocolOf(each), each]))
    this.#most = options.maxConnections ?? Number.POSITIVE_INFINITY
    this.#sweep = new Sweep(options)
  }

  /** The subprotocols that are spoken, for people. */
  get protocolList(): string {
    return [...this.#serializers.keys()].join(', ')
  }

  /** Why no more are taken, if so. */
  get refusal(): string | undefined {
    if (this.#closing) return 'the router is closing'
    return this.#open.size < this.#most ? undefined : `the limit of ${this.#most} connections is reached`
  }

  /** The first of the client's subprotocols that is spoken, each of them also in batches. */
  choose(offers: Iterable<string>, batches = true): string | undefined {
    for (const offer of offers) {
      if (this.#serializers.has(isBatched(offer) && batches ? unbatchedProtocol(offer) : offer)) return offer
    }
    return undefined
  }

  /**
   * Gives a connection to the router. `gone` resolves when nothing is left of it. `socket` is watched for silence;
   * without one the transport looks after itself. `look` sees the link before the router gets it.
   */
  attach(
    transport: Transport,
    info: TransportInfo,
    gone: Promise<unknown>,
    socket?: Duplex,
    look?: (link: Link) => void,
  ): void {
    const serializer = this.#serializers.get(unbatchedProtocol(transport.protocol)) as Serializer
    this.#open.set(transport, gone)
    const watched = socket && this.#sweep.watch(transport)
    if (watched) socket.on('data', watched.received)
    gone.then(() => {
      this.#open.delete(transport)
      if (watched) this.#sweep.forget(watched)
    })
    try {
      const whole = isBatched(transport.protocol) ? batched(transport) : transport
      const link = framed(whole, serializer)
      look?.(link)
      this.#router.attach(link, info)
    } catch {
      transport.close(1011, 'the router could not take the connection')
    }
  }

  /** Takes no more; closes those that are there, and ends those that do not close. */
  async end(): Promise<void> {
    this.#closing = true
    this.#sweep.stop()
    const leaving = [...this.#open]
    for (const [transport] of leaving) transport.close(1001, 'the router is closing')
    const gone = Promise.all(leaving.map(([, each]) => each))
    await settleWithin(GOODBYE_TIMEOUT, gone)
    for (const [transport] of this.#open) transport.terminate()
    await gone
  }
}

async function settleWithin(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
