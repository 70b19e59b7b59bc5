/** The client for `client.rpc.someProcedure(...)`, typed from the class of a service or from a contract. */
// biome-ignore-all lint/suspicious/noExplicitAny: a procedure may take and return anything, and an alias would be one more public type

import { usage } from '../protocol/error.ts'
import { FUNCTION } from '../protocol/option-rules.ts'
import type { Dict } from '../protocol/options.ts'
import { Client } from './client.ts'
import { type ProcedureEntry, registered } from './functions/procedures.ts'
import { type ClientKind, type ClientOptions, withKind } from './options.ts'
import { names } from './proxy.ts'
import type { Invocation, Result } from './roles/callee.ts'
import { type CallOptions, caller, type Progress } from './roles/caller.ts'
import { publisher } from './roles/publisher.ts'
import { subscriber } from './roles/subscriber.ts'
import { type Declared, declaredBy, type ServiceClass, uriOf } from './service/decorators.ts'
import { describedAt, type ServiceDescription } from './service/description.ts'
import type { WampClient } from './wamp-client.ts'

/** What a caller passes: the parameters without an Invocation in the first place. */
export type Arguments<Parameters extends readonly unknown[]> = Parameters extends readonly [infer First, ...infer Rest]
  ? // Not of type `any`, which is a parameter like any other.
    [0 extends 1 & First ? never : First] extends [never]
    ? Parameters
    : [First] extends [Invocation<any, any>]
      ? Rest
      : Parameters
  : Parameters

/** The type of a value that a caller receives; unknown if the procedure sends a Result object. */
export type Arrived<T> = T extends Result ? unknown : T

/** The result for a caller: the resolved value of a promise, or the return value of a generator; null in place of undefined. */
export type Returned<T> =
  Awaited<T> extends AsyncIterable<unknown>
    ? Awaited<T> extends AsyncIterator<unknown, infer Final>
      ? Arrived<Final extends undefined ? null : Final>
      : // biome-ignore lint/suspicious/noConfusingVoidType: as a generator that returns nothing says it
        void
    : Arrived<Awaited<T> extends infer Value ? (Value extends undefined ? null : Value) : never>

/**
 * The names that a service's class adds to WampClient; all names of a contract that does not extend it. By their names:
 * a class of the other module format extends another WampClient.
 */
export type OwnNames<Service> = keyof WampClient extends keyof Service
  ? Exclude<keyof Service, keyof WampClient>
  : keyof Service

/** The methods that a service's class adds to WampClient, or those of a contract, as a caller sees them. */
export type Procedures<Service> = {
  readonly [Name in OwnNames<Service> as Service[Name] extends (...args: any[]) => any
    ? Name
    : never]: Service[Name] extends (...args: infer Parameters) => infer Value
    ? (...args: Arguments<Parameters>) => Promise<Returned<Value>>
    : never
}

/** The async generators among them: what they yield in a loop, and `result` for what they return. */
export type Streams<Service> = {
  readonly [Name in OwnNames<Service> as Service[Name] extends (...args: any[]) => infer Value
    ? Awaited<Value> extends AsyncIterable<unknown>
      ? Name
      : never
    : never]: Service[Name] extends (...args: infer Parameters) => infer Value
    ? Awaited<Value> extends AsyncIterable<infer Part>
      ? (...args: Arguments<Parameters>) => Progress<Arrived<Part>, Returned<Value>>
      : never
    : never
}

/** Any name, however deep: `client.rpc.com.example.add(1, 2)`. */
export interface AnyProcedure {
  (...args: any[]): Promise<any>
  // Not AnyProcedure: with `noUncheckedIndexedAccess` that might be undefined, and could not be called.
  readonly [name: string]: any
}

/** Any name, however deep: `client.stream.com.example.count(3)`. */
export interface AnyStream {
  (...args: any[]): Progress<any, any>
  readonly [name: string]: any
}

/** `client.rpc`: of a class, or of anything. */
export type Rpc<Service> = unknown extends Service ? AnyProcedure : Procedures<Service>

/** `client.stream`: of a class, or of anything. */
export type Stream<Service> = unknown extends Service ? AnyStream : Streams<Service>

export interface RpcClientOptions<Service> extends ClientOptions {
  /** The class of the service, with its URIs. Without it a URI is the prefix and the method's name. */
  readonly service?: abstract new (
    ...args: any[]
  ) => Service
}

/** Options of one call by `client.with(options).rpc`. */
export interface RpcCallOptions extends CallOptions {
  readonly kwargs?: Dict
}

const RPC_CLIENT: ClientKind = {
  name: 'RpcClient',
  type: () => RpcClient,
  rules: { service: ['a class', FUNCTION[1]] },
  roles: [caller, publisher, subscriber],
  startsItself: true,
  declared: (client) => declaresNothing(client),
}

/** Rejects a subclass with declarations, which would otherwise be ignored in silence. */
function declaresNothing(client: object): [] {
  const { constructor: Class } = client
  const { describe } = Class as ServiceClass
  if (!describe && !declaredBy('rpc', Class, client).size && !declaredBy('subscribe', Class, client).size) return []
  throw usage(
    `${Class.name} declares procedures or topics: only what extends WampClient, not RpcClient, can serve them`,
  )
}

/**
 * A client that calls, publishes and subscribes. Typed by `RpcClient<DateService>`, `RpcClient<DateContract>` (an
 * interface) or `new RpcClient({ service: DateService })`; the first operation that needs a session starts it, and only
 * `stop()` ends it. Procedures are registered by a `WampClient`.
 */
export class RpcClient<Service = unknown> extends Client {
  /** Every property is a procedure: `await client.rpc.getTodaysDate()`. */
  readonly rpc: Rpc<Service>
  /** Every async generator is a loop: `for await (const n of client.stream.count(3))`. */
  readonly stream: Stream<Service>
  readonly #prefix: string | undefined
  readonly #uriOf: (path: string) => string

  constructor(options: RpcClientOptions<Service> = {}) {
    super(withKind(options, RPC_CLIENT, new.target))
    declaresNothing(this)
    const { service } = options
    const declared: Map<string, Declared> = service ? declaredBy('rpc', service) : new Map()
    const prefix = options.prefix ?? (service as ServiceClass | undefined)?.prefix
    this.#uriOf = (path) => uriOf(declared.get(path), path, prefix)
    this.#prefix = prefix
    const { rpc, stream } = this.with({})
    this.rpc = rpc
    this.stream = stream
  }

  /** The same procedures, called with options: `client.with({ timeout: 500 }).rpc.add(1, 2)`. */
  with({ kwargs, ...options }: RpcCallOptions): { readonly rpc: Rpc<Service>; readonly stream: Stream<Service> } {
    const walk = (call: (uri: string, args: unknown[]) => unknown) => names(call, this.#uriOf)
    return {
      rpc: walk((uri, args) => this.call(uri, args, kwargs, options)) as Rpc<Service>,
      stream: walk((uri, args) => this.progress(uri, args, kwargs, options)) as Stream<Service>,
    }
  }

  /**
   * Lists the procedures that can be called in the realm, from the router's registration meta API.
   *
   * @throws WampError `wamp.error.feature_not_supported` if the router has no such API; as `call`
   */
  entrypoints(options?: CallOptions): Promise<ProcedureEntry[]> {
    return registered(this, options)
  }

  /**
   * Returns the description of a service whose class has `static describe = description`: that of this client's prefix,
   * unless another prefix is given.
   */
  async describe(prefix = this.#prefix, options?: CallOptions): Promise<ServiceDescription> {
    return this.call(describedAt(prefix), [], undefined, options)
  }

  /** Always throws: only a `WampClient` registers procedures. */
  async register(this: never, ..._given: unknown[]): Promise<never> {
    throw usage('an RpcClient registers no procedures: make a WampClient for that')
  }
}
