/** The client for `client.rpc.someProcedure(...)`, typed from the class of a service or from a contract. */
// biome-ignore-all lint/suspicious/noExplicitAny: a procedure may take and return anything, and an alias would be one more public type

import { usage } from '../protocol/error.ts'
import { FUNCTION } from '../protocol/option-rules.ts'
import { Client } from './client.ts'
import { type ProcedureEntry, registered } from './functions/procedures.ts'
import { type ClientKind, type ClientOptions, withKind } from './options.ts'
import { type CallOptions, caller } from './roles/caller.ts'
import { publisher } from './roles/publisher.ts'
import { subscriber } from './roles/subscriber.ts'
import { declaredBy, type ServiceClass } from './service/decorators.ts'
import { describedAt, type ServiceDescription } from './service/description.ts'
import type { Rpc, RpcCallOptions, ServiceView, Stream } from './service/view.ts'

export interface RpcClientOptions<Service> extends ClientOptions {
  /** The class of the service, with its URIs. Without it a URI is the prefix and the method's name. */
  readonly service?: abstract new (
    ...args: any[]
  ) => Service
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
  throw usage(`${Class.name} declares procedures or topics, which only a WampClient serves`)
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
  readonly #view: ServiceView<Service>

  constructor(options: RpcClientOptions<Service> = {}) {
    super(withKind(options, RPC_CLIENT, new.target))
    declaresNothing(this)
    const { service, prefix = (service as ServiceClass | undefined)?.prefix } = options
    this.#prefix = prefix
    this.#view = super.service((service ?? prefix) as never, { prefix })
    this.rpc = this.#view.rpc
    this.stream = this.#view.stream
  }

  /** The same procedures, called with options: `client.with({ timeout: 500 }).rpc.add(1, 2)`. */
  with(options: RpcCallOptions): { readonly rpc: Rpc<Service>; readonly stream: Stream<Service> } {
    return this.#view.with(options)
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
