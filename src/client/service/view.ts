/** Views of services over one client: `rpc` and `stream`, typed from the class of a service or from a contract. */
// biome-ignore-all lint/suspicious/noExplicitAny: a procedure may take and return anything, and an alias would be one more public type

import { usage } from '../../protocol/error.ts'
import type { Dict } from '../../protocol/options.ts'
import type { Client } from '../client.ts'
import type { Invocation, Result } from '../roles/callee.ts'
import type { CallOptions, Progress } from '../roles/caller.ts'
import type { WampClient } from '../wamp-client.ts'
import { declaredBy, methodUri, type ServiceClass } from './decorators.ts'
import { names } from './proxy.ts'

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

/** Options of one call by `client.with(options).rpc`. */
export interface RpcCallOptions extends CallOptions {
  readonly kwargs?: Dict
}

/** A service as its callers see it: `client.service(Shop)`. */
export interface ServiceView<Service> {
  /** Every property is a procedure: `await shop.rpc.price('tea')`. */
  readonly rpc: Rpc<Service>
  /** Every async generator is a loop: `for await (const n of shop.stream.count(3))`. */
  readonly stream: Stream<Service>
  /** The same procedures, called with options: `shop.with({ timeout: 500 }).rpc.price('tea')`. */
  with(options: RpcCallOptions): { readonly rpc: Rpc<Service>; readonly stream: Stream<Service> }
}

/** The views that a client has made: by class, or by the client for those without one, and by prefix. */
export type ServiceViews = WeakMap<object, Record<string, ServiceView<any>>>

/** @throws WampError `wampy.error.usage` */
export function viewOf(
  client: Client,
  views: ServiceViews,
  service: unknown,
  given: string | undefined,
): ServiceView<any> {
  const Class = typeof service === 'function' ? (service as ServiceClass) : undefined
  const prefix = given ?? (Class ? Class.prefix : service) ?? ''
  if (typeof prefix !== 'string') throw usage('a service is a class or a prefix')
  const key = Class ?? client
  const byPrefix = views.get(key) ?? {}
  views.set(key, byPrefix)
  // With a dot, which no property of every object has.
  const place = `${prefix}.`
  const found = byPrefix[place]
  if (found) return found
  const declared = Class && declaredBy('rpc', Class)
  const walk = (call: (uri: string, args: unknown[]) => unknown): any =>
    names(call, (path) => methodUri(declared?.get(path), path, prefix))
  const calls = ({ kwargs, ...options }: RpcCallOptions) => ({
    rpc: walk((uri, args) => client.call(uri, args, kwargs, options)),
    stream: walk((uri, args) => client.progress(uri, args, kwargs, options)),
  })
  const view: ServiceView<any> = { ...calls({}), with: calls }
  byPrefix[place] = view
  return view
}
