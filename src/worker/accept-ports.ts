/** Lets a router in a worker serve pages and threads: takes the ports that `portDial` sends. */

import { usage } from '../protocol/error.ts'
import { checkRules, LIMIT, type OptionRules, SERIALIZERS } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { json } from '../serializer/json.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { framed } from '../session/framed.ts'
import type { Attachable } from '../session/link.ts'
import { holdLock, watchLock } from '../transport/lock.ts'
import { isKnock, type Knock, PortTransport } from '../transport/message-port.ts'
import { SWEEP_RULES, Sweep, type SweepOptions, type WatchedPeer } from '../transport/sweep.ts'

export interface AcceptOptions extends SweepOptions {
  /** JSON alone by default. The client's order of preference decides. */
  readonly serializers?: readonly Serializer[] | undefined
  /** The longest message that is taken, in bytes or characters: 16 MiB by default. */
  readonly maxPayload?: number | undefined
}

const ACCEPT_RULES: OptionRules<AcceptOptions> = { ...SWEEP_RULES, serializers: SERIALIZERS, maxPayload: LIMIT }

/** Where knocks arrive: a worker's global scope, a MessagePort, `parentPort` of `node:worker_threads`. */
export interface PortScope {
  addEventListener(type: 'message' | 'connect', listener: (event: Event) => void): void
  removeEventListener(type: 'message' | 'connect', listener: (event: Event) => void): void
  start?(): void
}

export interface Accepting {
  /** Takes no more ports, and closes those that were taken. To say GOODBYE first, close the router. */
  close(): void
}

/**
 * Serves a router to those that dial this worker: the page that made a Worker, all the tabs that share a SharedWorker,
 * the thread that made a thread. It must run before the worker's script awaits anything, or the first to knock is missed.
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
    throw usage(`acceptPorts takes a Router first, such as acceptPorts(new Router()), got ${formatValue(router)}`)
  }
  checkRules('acceptPorts', options, ACCEPT_RULES)
  // `parentPort` is null where no thread is.
  if (typeof scope?.addEventListener !== 'function') {
    throw usage('acceptPorts runs in a worker; in a thread of Node pass its parentPort')
  }
  const serializers = new Map((options.serializers ?? [json]).map((each) => [subprotocolOf(each), each]))
  const sweep = new Sweep(options)
  const open = new Set<PortTransport>()
  const alive = holdLock()

  function take({ port, protocols, lock }: Knock): void {
    const protocol = protocols.find((offer) => serializers.has(offer))
    if (protocol === undefined) {
      port.postMessage([
        'refuse',
        `it speaks ${[...serializers.keys()].join(', ')}, offered were ${protocols.join(', ').slice(0, 200)}`,
      ])
      port.close()
      return
    }
    const transport: PortTransport = new PortTransport(port, protocol, {
      maxPayload: options.maxPayload ?? 16 * 2 ** 20,
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
    // A page that is asleep answers no pings, and lives.
    const forget = watchLock(typeof lock === 'string' ? lock : undefined, () => transport.lost(), ping)
    if (!forget) ping()
    alive.then((own) => {
      transport.accept(own.lock)
      try {
        router.attach(framed(transport, serializers.get(protocol) as Serializer), { type: 'message-port', protocol })
      } catch {
        transport.close(1011, 'the router could not take the connection')
      }
    })
  }

  let over = false
  const message = (event: Event): void => {
    const { data } = event as MessageEvent<unknown>
    if (!over && isKnock(data)) take(data)
  }
  // A SharedWorker: every tab that finds it brings a port, over which it may knock again and again. They are not kept.
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
      over = true
      scope.removeEventListener('connect', connect)
      scope.removeEventListener('message', message)
      sweep.stop()
      for (const transport of open) transport.close(1001, 'the router is closing')
      alive.then(({ release }) => release())
    },
  }
}
