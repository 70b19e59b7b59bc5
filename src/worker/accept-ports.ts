/** Serves a router in a worker to pages and threads: accepts the ports that `portDial` sends. */

import { usage } from '../protocol/error.ts'
import { checkRules, LIMIT, type OptionRules, SERIALIZERS } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { json } from '../serializer/json.ts'
import { forRouter } from '../serializer/routed-json.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { framed } from '../session/framed.ts'
import type { Attachable } from '../session/link.ts'
import { type DialRequest, isDialRequest, PortTransport } from '../transport/message-port.ts'
import { SWEEP_RULES, Sweep, type SweepOptions, type WatchedPeer } from '../transport/silence-sweep.ts'
import { holdLock, watchLock } from '../transport/web-lock.ts'

export interface AcceptOptions extends SweepOptions {
  /** JSON only by default. The client's order of preference decides. */
  readonly serializers?: readonly Serializer[] | undefined
  /** The greatest length of an incoming message, in bytes or characters: 16 MiB by default. */
  readonly maxPayload?: number | undefined
}

const ACCEPT_RULES: OptionRules<AcceptOptions> = { ...SWEEP_RULES, serializers: SERIALIZERS, maxPayload: LIMIT }

/** The receiver of dials: a worker's global scope, a MessagePort, `parentPort` of `node:worker_threads`. */
export interface PortScope {
  addEventListener(type: 'message' | 'connect', listener: (event: Event) => void): void
  removeEventListener(type: 'message' | 'connect', listener: (event: Event) => void): void
  start?(): void
}

export interface Accepting {
  /** Accepts no more ports, and closes the accepted ones. To send GOODBYE first, close the router. */
  close(): void
}

/**
 * Serves a router to the clients that dial this worker: the page that made a Worker, all the tabs that share a SharedWorker,
 * the thread that made a thread. It must run before the worker's script awaits anything, or the first dial is missed.
 *
 * @example
 * // router.js, for `new SharedWorker('/router.js')`
 * acceptPorts(new Router())
 */
export function acceptPorts(
  router: Attachable,
  scope: PortScope | null = globalThis as unknown as PortScope,
  options: AcceptOptions = {},
): Accepting {
  if (typeof Object(router).attach !== 'function') {
    throw usage(
      `acceptPorts expects a Router as its first argument, such as acceptPorts(new Router()), got ${formatValue(router)}`,
    )
  }
  checkRules('acceptPorts', options, ACCEPT_RULES)
  // `parentPort` is null in the main thread.
  if (typeof scope?.addEventListener !== 'function') {
    throw usage('acceptPorts runs in a worker; in a thread of Node pass its parentPort')
  }
  const supported = options.serializers ?? [json]
  router.hosted?.({ serializers: supported })
  const serializers = new Map(supported.map((each) => [subprotocolOf(each), forRouter(each)]))
  const sweep = new Sweep(options)
  const open = new Set<PortTransport>()
  const ownLock = holdLock()

  function take({ port, protocols, lock }: DialRequest): void {
    const protocol = protocols.find((offer) => serializers.has(offer))
    if (protocol === undefined) {
      port.postMessage([
        'refuse',
        `it supports ${[...serializers.keys()].join(', ')}, got ${protocols.join(', ').slice(0, 200)}`,
      ])
      port.close()
      return
    }
    const { maxPayload = 16 * 2 ** 20 } = options
    const transport: PortTransport = new PortTransport(port, protocol, {
      maxPayload,
      received: () => watched?.received(),
      ended() {
        open.delete(transport)
        forget?.()
        if (watched) sweep.forget(watched)
      },
    })
    open.add(transport)
    let watched: WatchedPeer | undefined
    const ping = (): void => {
      if (open.has(transport)) watched = sweep.watch(transport)
    }
    // A frozen page is alive and answers no pings.
    const forget = watchLock(typeof lock === 'string' ? lock : undefined, () => transport.lost(), ping)
    if (!forget) ping()
    ownLock.then((own) => {
      transport.accept(own.lock)
      try {
        const link = framed(transport, serializers.get(protocol) as Serializer)
        router.attach(link, { type: 'message-port', protocol }, { maxMessage: maxPayload })
      } catch {
        transport.close(1011, 'the router could not accept the connection')
      }
    })
  }

  let closed = false
  const message = (event: Event): void => {
    const { data } = event as MessageEvent<unknown>
    if (!closed && isDialRequest(data)) take(data)
  }
  // A SharedWorker: each tab that connects brings a port, over which it may dial again and again. The ports are not kept.
  const connect = (event: Event): void => {
    for (const port of (event as MessageEvent).ports) listen(port)
  }
  const listen = (to: PortScope): void => {
    to.addEventListener('message', message)
    to.start?.()
  }
  listen(scope)
  scope.addEventListener('connect', connect)

  return {
    close() {
      closed = true
      scope.removeEventListener('connect', connect)
      scope.removeEventListener('message', message)
      sweep.stop()
      for (const transport of open) transport.close(1001, 'the router is closing')
      ownLock.then(({ release }) => release())
    },
  }
}
