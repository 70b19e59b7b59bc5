/** The entry point `wampy-ts/react`: a provider and hooks for clients, their services, topics and calls. */
'use client'

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { type ProcedureRef, procedureUri } from './live/call.ts'
import { UNCONNECTED } from './live/connection.ts'
import { keyOf } from './live/live.ts'
import { topicKey } from './live/subscription.ts'
import {
  type CallState,
  type Client,
  type Connection,
  type EventArgs,
  type EventHandler,
  type EventKwargs,
  type EventsState,
  type List,
  type Live,
  type LiveCallOptions,
  type LiveEventsOptions,
  type LiveStreamOptions,
  type LiveSubscribeOptions,
  liveCall,
  liveConnection,
  liveEvents,
  liveStream,
  liveSubscription,
  type Progress,
  type ReceivedEvent,
  type ServiceView,
  type StreamState,
  type SubscriptionState,
  type TopicRef,
  type Uri,
} from './live.ts'
import { usage } from './protocol/error.ts'

// Types in the signatures below. They add nothing at run time.
export type * from './live.ts'

const ClientContext = createContext<Client | undefined>(undefined)

/** A client of yours, which the provider never starts or stops; or a function that creates one for the provider. */
export type WampProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: Client; readonly create?: undefined }
  | { readonly create: () => Client; readonly client?: undefined }
)

/**
 * Provides the hooks below it with a client. One that `create` makes lives as long as the provider: it is started when the
 * provider appears and stopped when it disappears. `create` is called during the first render, on a server as well, and
 * starts nothing.
 */
export function WampProvider({ client, create, children }: WampProviderProps): ReactElement {
  const [own] = useState(() => create?.())
  useEffect(() => {
    if (!own) return undefined
    // An unhandled rejection is reported by the client.
    void own.start({ timeout: 0 })
    return () => void own.stop()
  }, [own])
  return createElement(ClientContext.Provider, { value: client ?? own }, children)
}

/** Options of every hook. */
export interface HookOptions {
  /** Default: that of the nearest WampProvider. */
  readonly client?: Client | undefined
}

/** Options of hooks whose state may be an error. */
export interface HookErrorOptions extends HookOptions {
  /** Throws the error in the render, for an error boundary. Default false. */
  readonly throwOnError?: boolean | undefined
}

/**
 * The client of the nearest WampProvider.
 *
 * @throws WampError `wampy.error.usage` without a provider
 */
export function useClient<C extends Client = Client>({ client }: HookOptions = {}): C {
  const provided = useContext(ClientContext)
  const found = client ?? provided
  if (!found)
    throw usage('there is no client here: put the component below a <WampProvider>, or pass the option client')
  return found as C
}

/** A service over the client, by its class or by its type and prefix: `useService<Shop>('com.example.shop').rpc`. */
// biome-ignore lint/suspicious/noExplicitAny: a class may be constructed from anything
export function useService<S>(service: abstract new (...args: any[]) => S, options?: HookOptions): ServiceView<S>
export function useService<S = unknown>(prefix?: string, options?: HookOptions): ServiceView<S>
export function useService(service: unknown, options?: HookOptions): ServiceView<unknown> {
  return useClient(options).service(service as never)
}

/** The state of the connection. */
export function useConnection(options?: HookOptions): Connection {
  const { get, subscribe } = liveConnection(useClient(options))
  return useSyncExternalStore(subscribe, get, () => UNCONNECTED)
}

/** The value of a store, which is opened again when the client or the key changes. Survives a hot reload. */
function useLive<T extends { readonly error: unknown }>(
  { client: given, throwOnError }: HookErrorOptions,
  key: string,
  open: (client: Client) => Live<T>,
): T {
  const client = useClient({ client: given })
  const [held, hold] = useState(() => ({ client, key, store: open(client) }))
  let { store } = held
  if (held.client !== client || held.key !== key) {
    store = open(client)
    hold({ client, key, store })
  }
  const value = useSyncExternalStore(store.subscribe, store.get, store.get)
  if (throwOnError && value.error) throw value.error
  return value
}

/** The callbacks of the last render, to be called later. */
function useLatest<T>(callbacks: T): { readonly current: T } {
  const latest = useRef(callbacks)
  useInsertionEffect(() => {
    latest.current = callbacks
  })
  return latest
}

/**
 * Subscribes to a topic, as long as the component is there; null for none. The handler receives every event, and may be
 * another function in each render; other options or another topic subscribe anew.
 */
export function useSubscription<Of extends TopicRef>(
  topic: Of | null,
  handler: EventHandler<EventArgs<Of>, EventKwargs<Of>>,
  { client, throwOnError, onGap, ...options }: LiveSubscribeOptions & HookErrorOptions = {},
): SubscriptionState {
  const latest = useLatest({ handler, onGap })
  return useLive({ client, throwOnError }, keyOf(topicKey(topic), options), (client) =>
    liveSubscription<Of>(client, topic, (...event) => latest.current.handler(...event), {
      ...options,
      onGap: (gap) => latest.current.onGap?.(gap),
    }),
  )
}

/** The last events of a topic. To react to every event, use `useSubscription`: an effect sees only some of them. */
export function useEvents<Of extends TopicRef, T = ReceivedEvent<EventArgs<Of>, EventKwargs<Of>>>(
  topic: Of | null,
  {
    client,
    throwOnError,
    onGap,
    select,
    ...options
  }: LiveEventsOptions<T, EventArgs<Of>, EventKwargs<Of>> & HookErrorOptions = {},
): EventsState<T> {
  const latest = useLatest({ select, onGap })
  return useLive({ client, throwOnError }, keyOf(topicKey(topic), options, !select), (client) =>
    liveEvents<Of, T>(client, topic, {
      ...options,
      onGap: (gap) => latest.current.onGap?.(gap),
      select: select && ((...event) => latest.current.select?.(...event)),
    }),
  )
}

/** Calls a procedure when the component appears and whenever the arguments change; null for no call. Leaving cancels it. */
export function useCall<Args extends List, T>(
  procedure: (...args: Args) => Promise<T>,
  args: Readonly<Args> | null,
  options?: LiveCallOptions & HookErrorOptions,
): CallState<T>
export function useCall<T = unknown>(
  procedure: Uri,
  args: List | null,
  options?: LiveCallOptions & HookErrorOptions,
): CallState<T>
export function useCall(
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: any,
  { client, throwOnError, ...options }: LiveCallOptions & HookErrorOptions = {},
): CallState<unknown> {
  return useLive({ client, throwOnError }, keyOf(procedureUri(procedure), args, options), (client) =>
    liveCall(client, procedure as Uri, args, options),
  )
}

/** Calls a procedure with progressive results, as `useCall` does. */
export function useStream<Args extends List, Part, Final>(
  procedure: (...args: Args) => Progress<Part, Final>,
  args: Readonly<Args> | null,
  options?: LiveStreamOptions<Part> & HookErrorOptions,
): StreamState<Part, Final>
export function useStream<Part = unknown, Final = unknown>(
  procedure: Uri,
  args: List | null,
  options?: LiveStreamOptions<Part> & HookErrorOptions,
): StreamState<Part, Final>
export function useStream<Part, Final>(
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: any,
  { client, throwOnError, onPart, ...options }: LiveStreamOptions<Part> & HookErrorOptions = {},
): StreamState<Part, Final> {
  const latest = useLatest({ onPart })
  return useLive({ client, throwOnError }, keyOf(procedureUri(procedure), args, options), (client) =>
    liveStream<Part, Final>(client, procedure as Uri, args, {
      ...options,
      onPart: (part) => latest.current.onPart?.(part),
    }),
  )
}
