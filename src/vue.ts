/** The entry point `wampy-ts/vue`: a plugin and composables for clients, their services, topics and calls. */

import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  getCurrentScope,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onMounted,
  onScopeDispose,
  type Plugin,
  provide,
  type ShallowRef,
  shallowRef,
  toValue,
  watch,
} from 'vue'
import type { ProcedureRef } from './live/call.ts'
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

const PROVIDED: InjectionKey<Client> = /* @__PURE__ */ Symbol('the client of wampy-ts')

/** A server renders without a client at work: not all of them dispose of the scopes of what they have rendered. */
const onServer = () => typeof window === 'undefined'

/** A client of yours, which the plugin never starts or stops; or a function that creates one for the app. */
export type WampPluginOptions =
  | { readonly client: Client; readonly create?: undefined }
  | { readonly create: () => Client; readonly client?: undefined }

/**
 * The plugin: `app.use(wamp({ client }))` provides all components with a client. One that `create` makes is started at once,
 * but not on a server, and stopped when the app is unmounted.
 */
export function wamp({ client, create }: WampPluginOptions): Plugin<[]> {
  return {
    install(app) {
      const provided = client ?? create()
      app.provide(PROVIDED, provided)
      if (client || onServer()) return
      // An unhandled rejection is reported by the client.
      void provided.start({ timeout: 0 })
      const { unmount } = app
      app.unmount = () => {
        unmount.call(app)
        void provided.stop()
      }
    },
  }
}

/** Provides the components below the present one with another client. */
export function provideWamp(client: Client): void {
  provide(PROVIDED, client)
}

/** Options of every composable. */
export interface ComposableOptions {
  /** Default: the provided one. */
  readonly client?: Client | undefined
}

/** Options of composables whose state may be an error. */
export interface ComposableErrorOptions extends ComposableOptions {
  /** Throws the error for `onErrorCaptured` and `app.config.errorHandler`. Default false. */
  readonly throwOnError?: boolean | undefined
}

/** A state as a composable returns it: a ref for each value, and the functions. */
export type StateRefs<State, Key extends keyof State = keyof State> = {
  readonly [K in Key]: State[K] extends () => void ? () => void : ComputedRef<State[K]>
}

/**
 * The provided client.
 *
 * @throws WampError `wampy.error.usage` if none is provided
 */
export function useClient<C extends Client = Client>({ client }: ComposableOptions = {}): C {
  const found = client ?? inject(PROVIDED, undefined)
  if (!found) throw usage('there is no client here: app.use(wamp({ client })), or pass the option client')
  return found as C
}

/** A service over the client, by its class or by its type and prefix: `useService<Shop>('com.example.shop').rpc`. */
export function useService<Service>(
  // biome-ignore lint/suspicious/noExplicitAny: a class may be constructed from anything
  service: abstract new (...args: any[]) => Service,
  options?: ComposableOptions,
): ServiceView<Service>
export function useService<Service = unknown>(prefix?: string, options?: ComposableOptions): ServiceView<Service>
export function useService(service: unknown, options?: ComposableOptions): ServiceView<unknown> {
  return useClient(options).service(service as never)
}

function refsOf<State extends object>(state: ShallowRef<State>): StateRefs<State> {
  const refs = Object.entries(state.value).map(([key, value]) => {
    const read = () => state.value[key as keyof State]
    return [key, typeof value === 'function' ? () => (read() as () => void)() : computed(read)]
  })
  return Object.fromEntries(refs) as StateRefs<State>
}

/**
 * The value of a store, which is opened when the component is mounted, and anew when the key changes. Until then it is
 * `first`, as on a server.
 */
function useLive<State extends object>(
  first: State,
  key: () => string,
  open: () => Live<State>,
): { readonly state: ShallowRef<State>; begin(): void; run(task: () => void): void } {
  const state: ShallowRef<State> = shallowRef(first)
  const scope = getCurrentScope()
  // Also after an `await`, and in a hook.
  const run = (task: () => void) => {
    if (scope) scope.run(task)
    else task()
  }
  let begun = onServer()
  const begin = () => {
    if (begun) return
    begun = true
    run(() =>
      watch(
        key,
        (_now, _before, onCleanup) => {
          onCleanup(
            open().subscribe((value) => {
              state.value = value
            }),
          )
        },
        { immediate: true },
      ),
    )
  }
  if (getCurrentInstance()) onMounted(begin)
  else begin()
  return { state, begin, run }
}

function useLiveState<State extends { readonly error: unknown }, Options extends ComposableErrorOptions>(
  options: MaybeRefOrGetter<Options>,
  inputs: () => unknown[],
  open: (client: Client, options: Omit<Options, keyof ComposableErrorOptions>) => Live<State>,
) {
  const client = useClient(toValue(options))
  const wire = () => {
    const { client: _, throwOnError: __, ...rest } = toValue(options)
    return rest
  }
  const opened = () => open(client, wire())
  const live = useLive(opened().get(), () => keyOf(inputs(), wire()), opened)
  /** An error with which a promise has rejected. */
  const taken = new Set<unknown>()
  if (!onServer() && getCurrentInstance() && toValue(options).throwOnError) {
    watch(live.state, ({ error }) => {
      if (error && !taken.has(error)) throw error
    })
  }
  return { ...live, taken }
}

/** The state of the connection. */
export function useConnection(options?: ComposableOptions): StateRefs<Connection> {
  const client = useClient(options)
  return refsOf(
    useLive(
      UNCONNECTED,
      () => '',
      () => liveConnection(client),
    ).state,
  )
}

/**
 * Subscribes to a topic until the scope is disposed of; null for none. The handler receives every event. Another topic or
 * other options subscribe anew.
 */
export function useSubscription<Of extends TopicRef>(
  topic: MaybeRefOrGetter<Of | null>,
  handler: EventHandler<EventArgs<Of>, EventKwargs<Of>>,
  options: MaybeRefOrGetter<LiveSubscribeOptions & ComposableErrorOptions> = {},
): StateRefs<SubscriptionState> {
  const { state } = useLiveState(
    options,
    () => [topicKey(toValue(topic))],
    (client, wire) => liveSubscription(client, toValue(topic), handler, wire),
  )
  return refsOf(state)
}

/** The last events of a topic. To react to every event, use `useSubscription`: a watcher sees only some of them. */
export function useEvents<Of extends TopicRef, T = ReceivedEvent<EventArgs<Of>, EventKwargs<Of>>>(
  topic: MaybeRefOrGetter<Of | null>,
  options: MaybeRefOrGetter<LiveEventsOptions<T, EventArgs<Of>, EventKwargs<Of>> & ComposableErrorOptions> = {},
): StateRefs<EventsState<T>> {
  const { state } = useLiveState(
    options,
    () => [topicKey(toValue(topic))],
    (client, wire) => liveEvents<Of, T>(client, toValue(topic), wire),
  )
  return refsOf(state)
}

/** A call as `useCall` returns it: awaited, it waits until the first answer, for `<Suspense>`. */
export type CallRefs<T> = StateRefs<CallState<T>> & PromiseLike<StateRefs<CallState<T>>>

/**
 * Calls a procedure when the component is mounted or the call is awaited, and whenever the arguments change; null for no
 * call. Disposal of the scope cancels it. Awaited, it rejects only with `throwOnError`; on a server it resolves at once.
 */
export function useCall<Args extends List, T>(
  procedure: (...args: Args) => Promise<T>,
  args: MaybeRefOrGetter<Readonly<Args> | null>,
  options?: MaybeRefOrGetter<LiveCallOptions & ComposableErrorOptions>,
): CallRefs<T>
export function useCall<T = unknown>(
  procedure: Uri,
  args: MaybeRefOrGetter<List | null>,
  options?: MaybeRefOrGetter<LiveCallOptions & ComposableErrorOptions>,
): CallRefs<T>
export function useCall(
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: MaybeRefOrGetter<any>,
  options: MaybeRefOrGetter<LiveCallOptions & ComposableErrorOptions> = {},
): CallRefs<unknown> {
  const { state, begin, run, taken } = useLiveState(
    options,
    () => [toValue(args)],
    (client, wire) => liveCall(client, procedure as Uri, toValue(args), wire),
  )
  const refs = refsOf<CallState<unknown>>(state)
  const settled = () =>
    new Promise<typeof refs>((resolve, reject) => {
      if (onServer()) resolve(refs)
      begin()
      const heard = ({ status, error }: CallState<unknown>) => {
        if (status === 'pending') return
        if (error && toValue(options).throwOnError) {
          taken.add(error)
          reject(error)
        } else resolve(refs)
      }
      run(() => {
        watch(state, heard, { flush: 'sync', immediate: true })
        if (getCurrentScope()) onScopeDispose(() => resolve(refs))
      })
    })
  // biome-ignore lint/suspicious/noThenProperty: awaited in a setup function
  return { ...refs, then: (resolve, reject) => settled().then(resolve, reject) }
}

/** Calls a procedure with progressive results, as `useCall` does. */
export function useStream<Args extends List, Part, Final>(
  procedure: (...args: Args) => Progress<Part, Final>,
  args: MaybeRefOrGetter<Readonly<Args> | null>,
  options?: MaybeRefOrGetter<LiveStreamOptions<Part> & ComposableErrorOptions>,
): StateRefs<StreamState<Part, Final>>
export function useStream<Part = unknown, Final = unknown>(
  procedure: Uri,
  args: MaybeRefOrGetter<List | null>,
  options?: MaybeRefOrGetter<LiveStreamOptions<Part> & ComposableErrorOptions>,
): StateRefs<StreamState<Part, Final>>
export function useStream<Part, Final>(
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: MaybeRefOrGetter<any>,
  options: MaybeRefOrGetter<LiveStreamOptions<Part> & ComposableErrorOptions> = {},
): StateRefs<StreamState<Part, Final>> {
  const { state } = useLiveState(
    options,
    () => [toValue(args)],
    (client, wire) => liveStream<Part, Final>(client, procedure as Uri, toValue(args), wire),
  )
  return refsOf(state)
}
