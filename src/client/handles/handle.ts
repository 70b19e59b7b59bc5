/** Handles as users see them: read-only views of a client's durable subscriptions and registrations. */

import type { WampError } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import type { Dict } from '../../protocol/options.ts'
import type { Waiting } from '../base/waiting.ts'
import type { HandleRecord } from './durable-handles.ts'

/**
 * `pending` until the router has granted it (and again after a loss), `active`, `failed` after a refusal on a rejoin
 * (the client retries), `closed` when it was ended, or revoked by the router: then `error` is set.
 */
export type HandleState = 'pending' | 'active' | 'failed' | 'closed'

/** The events that a subscription may have missed during a loss. */
export interface Gap {
  /** The last publication that it received before; undefined if there was none. For `eventHistory`: `after_publication`. */
  readonly after: Id | undefined
  /** The time of the loss, in milliseconds since 1970 by the clock of this machine. */
  readonly since: number
}

/** Events of a handle. */
export interface HandleEvents {
  /** Every change of `handle.state`. */
  state: (state: HandleState) => void
  /** The handle is closed: with an error if the router refused or revoked it. */
  closed: (error: WampError | undefined) => void
  /** A subscription is active again after a loss; events published meanwhile have not arrived. */
  gap: (gap: Gap) => void
}

/** The common part of subscriptions and registrations. It is read-only. */
export interface DurableHandle<Options extends Dict = Dict> {
  readonly state: HandleState
  /** The id that the router gave it, while `active`. */
  readonly id: Id | undefined
  /** The topic or procedure. */
  readonly uri: Uri
  /** The refusal, while `failed`, or the revocation. */
  readonly error: WampError | undefined
  /** The options as they are sent. */
  readonly options: Readonly<Options>
  /** Resolves when the handle is closed, with the error if the router refused or revoked it. Never rejects. */
  readonly closed: Promise<WampError | undefined>
  /** Calls the listener at every such event. Its errors are reported by the client's event `error`. */
  on<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this
  /** As `on`, for the next such event only. */
  once<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this
  /** Removes a listener. */
  off<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this
}

/** The view of a record. */
export abstract class HandleView<Options extends Dict> implements DurableHandle<Options> {
  readonly #record: HandleRecord<Options>

  constructor(record: HandleRecord<Options>) {
    this.#record = record
    // Frozen: a user's writes do not reach the library, and Vue does not wrap it in a proxy, which would lack #record.
    Object.freeze(this)
  }

  get state(): HandleState {
    return this.#record.state
  }

  get id(): Id | undefined {
    return this.#record.id
  }

  get uri(): Uri {
    return this.#record.uri
  }

  get error(): WampError | undefined {
    return this.#record.error
  }

  get options(): Readonly<Options> {
    return this.#record.options
  }

  get closed(): Promise<WampError | undefined> {
    return this.#record.closed
  }

  on<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this {
    this.#record.emitter.on(event, listener as () => void)
    return this
  }

  once<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this {
    this.#record.emitter.once(event, listener as () => void)
    return this
  }

  off<Name extends keyof HandleEvents>(event: Name, listener: HandleEvents[Name]): this {
    this.#record.emitter.off(event, listener as () => void)
    return this
  }

  protected end(waiting?: Waiting): Promise<void> {
    return this.#record.end(waiting)
  }
}
