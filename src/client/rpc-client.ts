/** The client whose point is `client.rpc.someProcedure(...)`, typed from the service's class. */

import type { Dict } from '../protocol/options.ts'
import type { Invocation, Result } from './callee.ts'
import type { CallOptions } from './caller.ts'
import type { ClientSession } from './client-session.ts'
import { type Declared, declaredBy, type ServiceClass, uriOf } from './decorators.ts'
import type { ClientOptions } from './options.ts'
import { names } from './proxy.ts'
import { within } from './waiting.ts'
import { WampClient } from './wamp-client.ts'

// biome-ignore lint/suspicious/noExplicitAny: a procedure may take and return anything
type Any = any

/** What a caller passes: the parameters without an Invocation in the first place. */
export type Arguments<Parameters extends readonly unknown[]> = Parameters extends readonly [infer First, ...infer Rest]
  ? [Invocation] extends [First]
    ? [First] extends [Invocation]
      ? Rest
      : Parameters
    : Parameters
  : Parameters

/** What a caller gets: what the promise resolves to; unknown where the procedure makes a Result by hand. */
export type Returned<T> = Awaited<T> extends Result ? unknown : Awaited<T>

/** The methods that a service's class adds to WampClient, as a caller sees them. */
export type Procedures<Service> = {
  readonly [Name in Exclude<keyof Service, keyof WampClient> as Service[Name] extends (...args: Any[]) => Any
    ? Name
    : never]: Service[Name] extends (...args: infer Parameters) => infer Value
    ? (...args: Arguments<Parameters>) => Promise<Returned<Value>>
    : never
}

/** Any name, however deep: `client.rpc.com.example.add(1, 2)`. */
export interface AnyProcedure {
  (...args: Any[]): Promise<Any>
  // Not AnyProcedure: with `noUncheckedIndexedAccess` that might be undefined, and could not be called.
  readonly [name: string]: Any
}

/** `client.rpc`: of a class, or of anything. */
export type Rpc<Service> = unknown extends Service ? AnyProcedure : Procedures<Service>

export interface RpcClientOptions<Service> extends ClientOptions {
  /** The class itself brings its URIs along. Without it they are the prefix and the method's name. */
  readonly service?: abstract new (
    ...args: Any[]
  ) => Service
}

/** Options of one call by `client.with(options).rpc`. */
export interface RpcOptions extends CallOptions {
  readonly kwargs?: Dict
}

/**
 * A client that calls. Typed by `RpcClient<DateService>` or `new RpcClient({ service: DateService })`; the first call
 * starts it, and only `stop()` ends it.
 */
export class RpcClient<Service = unknown> extends WampClient {
  /** Every property is a procedure: `await client.rpc.getTodaysDate()`. */
  readonly rpc: Rpc<Service>
  readonly #uriOf: (path: string) => string

  constructor(options: RpcClientOptions<Service> = {}) {
    super(options)
    const { service } = options
    const declared: Map<string, Declared> = service ? declaredBy('rpc', service) : new Map()
    const prefix = options.prefix ?? (service as ServiceClass | undefined)?.prefix
    this.#uriOf = (path) => uriOf(declared.get(path), path, prefix)
    this.rpc = this.#rpc({})
  }

  /** The same procedures, called with options: `client.with({ timeout: 500 }).rpc.add(1, 2)`. */
  with(options: RpcOptions): { readonly rpc: Rpc<Service> } {
    return { rpc: this.#rpc(options) }
  }

  #rpc({ kwargs, ...options }: RpcOptions): Rpc<Service> {
    return names((uri, args) => this.call(uri, args, kwargs, options), this.#uriOf) as Rpc<Service>
  }

  // The original calls without starting: so does this one, unless it was stopped.
  protected override async joined(options: CallOptions): Promise<ClientSession> {
    // Each call waits as long as it likes; none of them ends the start for the others.
    if (this.startable) await within(this.start(), options)
    return super.joined(options)
  }
}
