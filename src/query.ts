/** The entry point `wampy-ts/query`: options of TanStack Query for the procedures of a service, and invalidation after a gap. */
// biome-ignore-all lint/suspicious/noExplicitAny: a procedure may take and return anything
// biome-ignore-all lint/suspicious/noConfusingVoidType: a procedure without a result, and a mutation without arguments

import type { DataTag, MutationObserverOptions, QueryObserverOptions, SkipToken } from '@tanstack/query-core'
import { type Client, coreOf } from './client/client.ts'
import { uriOf } from './client/service/proxy.ts'
import type { Procedures, RpcCallOptions, ServiceView, Streams } from './client/service/view.ts'
import { usage, type WampError } from './protocol/error.ts'
import type { Uri } from './protocol/messages.ts'
import type { Dict, List } from './protocol/options.ts'
import { plain } from './protocol/plain.ts'
import { formatValue } from './protocol/validate.ts'
import { toBase64 } from './serializer/base64.ts'

export type * from './index.ts'

/** The key of a procedure's queries; with `args`, of those with the same arguments, in a form that JSON can hold. */
export type WampQueryKey = readonly ['wamp', realm: string, uri: Uri, call?: WampQueryCall]

/** The last part of a key. */
export interface WampQueryCall {
  readonly args: List
  readonly kwargs?: Dict
  readonly type?: 'all' | 'latest'
}

/** What a query holds: null in place of a result that is undefined, which TanStack Query refuses. */
export type QueryResult<T> = T extends void | undefined ? null : T

/** The options of a call. */
export interface QueryCallOptions {
  readonly kwargs?: Dict | undefined
  /** Milliseconds for a session and the answer. */
  readonly timeout?: number | undefined
  /**
   * Cancels the call when TanStack Query abandons the query. Default false: React's StrictMode abandons and repeats the
   * first call of each query.
   */
  readonly cancel?: boolean | undefined
}

/** The options of a stream. */
export interface QueryStreamOptions extends Omit<QueryCallOptions, 'cancel'> {
  /** A list of the parts (default), or the latest part. */
  readonly keep?: 'all' | 'latest' | undefined
  /** The greatest number of parts in the list; the earliest are dropped. Default 1000. */
  readonly limit?: number | undefined
}

/**
 * The function of a query, and what it uses of its context: by its shape, since an adapter of TanStack Query may bring a
 * query-core of its own.
 */
export type ProcedureQueryFunction<T> = (context: {
  readonly queryKey: any
  readonly signal: AbortSignal
  readonly client: any
}) => Promise<T>

/** The options of TanStack Query that may be added or replaced. */
export type QueryExtras<T> = Omit<
  QueryObserverOptions<T, WampError, any, T, any>,
  'queryKey' | 'queryFn' | 'queryHash' | 'queryKeyHashFn' | 'persister' | 'select'
> & { readonly select?: (data: T) => unknown }

/** The options of a query without options. */
export type NoExtras = Readonly<Record<never, never>>

/** Refuses other names. */
export type OnlyOf<Allowed, Options> = { readonly [Name in Exclude<keyof Options, NamesOf<Allowed>>]: never }

/** The names of a type, or of each type of a union. */
export type NamesOf<T> = T extends unknown ? keyof T : never

/** From which TanStack Query infers that errors are WampErrors; a `retry` of the program's takes its place. */
export type WampRetry<Options> = 'retry' extends keyof Options
  ? unknown
  : { readonly retry?: (failures: number, error: WampError) => boolean }

/** Options for `useQuery`, `fetchQuery` and the like, of React, Vue, Solid, Svelte and Angular. */
export type ProcedureQuery<T, Options, Skip = never> = Omit<Options, keyof QueryCallOptions | 'keep' | 'limit'> &
  WampRetry<Options> & {
    readonly queryKey: DataTag<WampQueryKey, T, WampError>
    readonly queryFn: ProcedureQueryFunction<T> | Skip
  }

/** The variables of a mutation: the list of arguments, which may be left out if none is required. */
export type MutationVariables<Args extends List> = [] extends Args ? Args | void : Args

/** The options of TanStack Query that may be added to a mutation. */
export type MutationExtras<Args extends List, T> = Omit<
  MutationObserverOptions<T, WampError, MutationVariables<Args>, any>,
  'mutationKey' | 'mutationFn'
>

/** Options for `useMutation`. */
export type ProcedureMutation<Args extends List, T, Options> = Omit<Options, keyof QueryCallOptions> &
  WampRetry<Options> & {
    readonly mutationKey: WampQueryKey
    readonly mutationFn: (args: MutationVariables<Args>) => Promise<T>
  }

/** The options of a query of a procedure. */
export type ProcedureQueryOptions<T> = QueryCallOptions & QueryExtras<T>

/** The options of a mutation of a procedure. */
export type ProcedureMutationOptions<Args extends List, T> = Omit<QueryCallOptions, 'cancel'> & MutationExtras<Args, T>

/** The options of a query of a stream. */
export type ProcedureStreamOptions<Part> = QueryStreamOptions &
  (({ readonly keep?: 'all' | undefined } & QueryExtras<Part[]>) | ({ readonly keep: 'latest' } & QueryExtras<Part>))

/** The options that a procedure makes. */
export interface QueriesOf<Args extends List, T> {
  /** For `useQuery`: calls the procedure. `skipToken` in place of the arguments makes no call. */
  queryOptions(args: Readonly<Args>): ProcedureQuery<T, NoExtras>
  queryOptions<Options extends ProcedureQueryOptions<T>>(
    args: Readonly<Args>,
    options: Options & OnlyOf<ProcedureQueryOptions<T>, Options>,
  ): ProcedureQuery<T, Options>
  queryOptions(args: Readonly<Args> | SkipToken): ProcedureQuery<T, NoExtras, SkipToken>
  queryOptions<Options extends ProcedureQueryOptions<T>>(
    args: Readonly<Args> | SkipToken,
    options: Options & OnlyOf<ProcedureQueryOptions<T>, Options>,
  ): ProcedureQuery<T, Options, SkipToken>
  /** For `useMutation`: `mutate(['tea'])` calls the procedure. */
  mutationOptions(): ProcedureMutation<Args, T, NoExtras>
  mutationOptions<Options extends ProcedureMutationOptions<Args, T>>(
    options: Options & OnlyOf<ProcedureMutationOptions<Args, T>, Options>,
  ): ProcedureMutation<Args, T, Options>
  /** The key of the procedure's queries, or of those with these arguments: for `invalidateQueries` and the like. */
  key(args?: Readonly<Args>, options?: { readonly kwargs?: Dict | undefined }): WampQueryKey
}

/** What a stream holds. */
export type StreamData<Options, Part> = Options extends { readonly keep: 'latest' } ? Part : Part[]

/** The options that a procedure with progressive results makes. */
export interface StreamsOf<Args extends List, Part> {
  /** For `useQuery`: the progressive results of a call, which is canceled when its last observer has gone. */
  streamOptions(args: Readonly<Args>): ProcedureQuery<Part[], NoExtras>
  streamOptions<const Options extends ProcedureStreamOptions<Part>>(
    args: Readonly<Args>,
    options: Options & OnlyOf<ProcedureStreamOptions<Part>, Options>,
  ): ProcedureQuery<StreamData<Options, Part>, Options>
  streamOptions(args: Readonly<Args> | SkipToken): ProcedureQuery<Part[], NoExtras, SkipToken>
  streamOptions<const Options extends ProcedureStreamOptions<Part>>(
    args: Readonly<Args> | SkipToken,
    options: Options & OnlyOf<ProcedureStreamOptions<Part>, Options>,
  ): ProcedureQuery<StreamData<Options, Part>, Options, SkipToken>
}

/** By procedure. */
export type WampQueries<Service> = unknown extends Service
  ? Readonly<Record<string, QueriesOf<any[], any> & StreamsOf<any[], any>>>
  : {
      readonly [Name in keyof Procedures<Service>]: (Procedures<Service>[Name] extends (
        ...args: infer Args
      ) => Promise<infer T>
        ? QueriesOf<Args, QueryResult<T>>
        : never) &
        (Name extends keyof Streams<Service>
          ? Streams<Service>[Name] extends (...args: infer Args) => AsyncIterable<infer Part>
            ? StreamsOf<Args, Part>
            : unknown
          : unknown)
    }

/** Options of `wampQueries`. */
export interface WampQueriesOptions {
  /** The prefix of method names in URIs; overrides that of the class. */
  readonly prefix?: string | undefined
  /** The second part of all keys. Default: the realm. Another text separates clients of the same realm at different routers. */
  readonly scope?: string | undefined
}

/** The clients of query functions. */
const clients = /* @__PURE__ */ new WeakMap<object, Client>()

/**
 * TanStack Query for the procedures of a service: `wampQueries(client, Shop).price.queryOptions(['tea'])`.
 *
 * @example
 * const shop = wampQueries<Shop>(client, { prefix: 'com.example.shop' })
 * const { data } = useQuery(shop.price.queryOptions(['tea']))
 * queryClient.invalidateQueries({ queryKey: shop.price.key() })
 * @throws WampError `wampy.error.usage` for anything but a class or options
 */
export function wampQueries<Service>(
  client: Client,
  service: abstract new (...args: any[]) => Service,
  options?: WampQueriesOptions,
): WampQueries<Service>
export function wampQueries<Service = unknown>(client: Client, options?: WampQueriesOptions): WampQueries<Service>
export function wampQueries(client: Client, service: any = {}, given: WampQueriesOptions = {}): any {
  const { prefix, scope = coreOf(client).settings.realm } = typeof service === 'function' ? given : service
  const view: ServiceView<any> = client.service(typeof service === 'function' ? service : undefined, { prefix })
  const known = new Map<string, object>()
  return new Proxy(
    {},
    {
      get(_, name) {
        // As of the procedures themselves: consoles and frameworks read such names to inspect a value.
        if (typeof name === 'symbol' || view.rpc[name] === undefined) return undefined
        if (name === 'toString' || name === 'valueOf') return () => `queries of ${prefix ?? ''}`
        const queries = known.get(name) ?? queriesOf(client, view, scope, name)
        known.set(name, queries)
        return queries
      },
    },
  )
}

/** TanStack Query repeats only what was not sent: anything else may have run, or was answered. */
const retry = (failures: number, error: WampError): boolean => error.sent === false && failures < 3

function queriesOf(client: Client, view: ServiceView<any>, scope: string, name: string): object {
  const uri = uriOf(view.rpc[name])
  const key = (args?: List, kwargs?: Dict, type?: string): WampQueryKey => {
    if (!args) return ['wamp', scope, uri]
    const call = {
      args: encoded(args, 'args'),
      ...(kwargs && { kwargs: encoded(kwargs, 'kwargs') }),
      ...(type && { type }),
    }
    return ['wamp', scope, uri, call as WampQueryCall]
  }
  const call = (args: List, { cancel: _, ...options }: RpcCallOptions & QueryCallOptions): Promise<unknown> =>
    view
      .with(options)
      .rpc[name](...args)
      .then((value: unknown) => value ?? null)
  const query = (
    args: List | symbol,
    kwargs: Dict | undefined,
    type: string | undefined,
    queryFn: ProcedureQueryFunction<unknown>,
  ) => {
    // Any symbol: each copy of query-core has a skipToken of its own.
    if (typeof args === 'symbol') return { queryKey: key(), queryFn: args, retry }
    if (!Array.isArray(args)) {
      throw usage(`${name} expects a list of arguments, such as ['tea'], or skipToken, got ${formatValue(args)}`)
    }
    clients.set(queryFn, client)
    return { queryKey: key(args, kwargs, type), queryFn, retry }
  }
  return {
    key: (args?: List, { kwargs }: QueryCallOptions = {}) => key(args, kwargs),
    queryOptions(args: List | symbol, { kwargs, timeout, cancel, ...rest }: QueryCallOptions = {}) {
      const queryFn: ProcedureQueryFunction<unknown> = (context) =>
        // Whoever reads the signal has its query abandoned.
        call(args as List, wire({ kwargs, timeout, signal: cancel ? context.signal : undefined }))
      return { networkMode: 'always', ...query(args, kwargs, undefined, queryFn), ...rest }
    },
    mutationOptions({ kwargs, timeout, ...rest }: QueryCallOptions = {}) {
      const mutationFn = (args: List | undefined = []) => call(args, wire({ kwargs, timeout }))
      return { networkMode: 'always', mutationKey: key(), mutationFn, ...rest }
    },
    streamOptions(
      args: List | symbol,
      { kwargs, timeout, keep = 'all', limit = 1000, ...rest }: QueryStreamOptions = {},
    ) {
      if (!(limit >= 1)) throw usage(`the option limit must be a number from 1, got ${formatValue(limit)}`)
      const queryFn: ProcedureQueryFunction<unknown> = async ({ client: cache, queryKey, signal }) => {
        // What an abandoned stream has brought stays in the cache: the next observer must not take it for the whole.
        const abandoned = () => cache.getQueryCache().find({ queryKey, exact: true })?.invalidate()
        signal.addEventListener('abort', abandoned, { once: true })
        const parts: unknown[] = []
        const held = () => (keep === 'latest' ? parts.at(-1) : [...parts]) ?? null
        for await (const part of view.with(wire({ kwargs, timeout, signal })).stream[name](...(args as List))) {
          if (signal.aborted) break
          parts.push(part)
          if (parts.length > (keep === 'latest' ? 1 : limit)) parts.shift()
          cache.setQueryData(queryKey, held())
        }
        return held()
      }
      return {
        networkMode: 'always',
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        ...query(args, kwargs, keep, queryFn),
        ...rest,
      }
    },
  }
}

/** Leaves out what is undefined. */
function wire(options: RpcCallOptions | Readonly<Record<string, unknown>>): RpcCallOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** A payload for a key, whose hash is made by JSON: big integers and bytes as `{ $bigint }` and `{ $bytes }`. */
function encoded(payload: List | Dict, place: string): unknown {
  const encode = (value: unknown): unknown => {
    if (typeof value === 'bigint') return { $bigint: String(value) }
    if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
    if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
    if (Array.isArray(value)) return value.map(encode)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, encode(item)]))
  }
  return encode(plain(payload, place))
}

/** What `bindQueries` uses of a QueryClient: by its shape, for the same reason. */
export interface QueryInvalidator {
  invalidateQueries(filters?: any, options?: any): Promise<void>
}

interface CachedQuery {
  readonly queryKey: List
  readonly options: { readonly queryFn?: unknown }
}

/**
 * Invalidates the queries of a client when it may have missed something: it is ready again after a loss or a stop, or a
 * subscription reports a gap. Queries that are in view are fetched anew. Call the returned function to end that.
 */
export function bindQueries(client: Client, queryClient: QueryInvalidator): () => void {
  let away = false
  const left = () => {
    away = true
  }
  const invalidate = () => {
    const { realm } = coreOf(client).settings
    void queryClient.invalidateQueries(
      {
        predicate: ({ queryKey, options: { queryFn } }: CachedQuery) => {
          const owner = typeof queryFn === 'function' ? clients.get(queryFn) : undefined
          // A query that came from a server has no function yet.
          return owner ? owner === client : queryKey[0] === 'wamp' && queryKey[1] === realm
        },
      },
      // A gap follows the rejoin whose fetches are under way.
      { cancelRefetch: false },
    )
  }
  const ready = () => {
    if (away) invalidate()
    away = false
  }
  client.on('lost', left).on('stopped', left).on('ready', ready).on('gap', invalidate)
  return () => {
    client.off('lost', left).off('stopped', left).off('ready', ready).off('gap', invalidate)
  }
}
