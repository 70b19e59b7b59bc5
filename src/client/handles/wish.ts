/** A durable wish: a subscription or registration that comes back on every join until it is given up. */

import type { WampError } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import type { Deferred, Waiting } from '../base/waiting.ts'
import type { ClientSession } from '../session/client-session.ts'

/**
 * `pending` until the router has granted it (and again after a loss), `active`, `failed` when a rejoin was refused
 * (it tries again), `closed` when it was given up, or revoked by the router: then `error` says so.
 */
export type WishState = 'pending' | 'active' | 'failed' | 'closed'

/** What a wish needs of its client. */
export interface WishOwner {
  giveUp(wish: Wish, waiting: Waiting): Promise<void>
}

export abstract class Wish {
  /** Vue must not wrap a handle in a proxy, which would break its private fields. */
  get __v_skip(): true {
    return true
  }
  state: WishState = 'pending'
  /** What the router refused it with, while `failed`, or that it revoked it. */
  error: WampError | undefined
  /** The id that the router gave it, while `active`. */
  id: Id | undefined
  /** The topic or procedure. */
  abstract readonly uri: Uri
  /** The first grant, while somebody waits for it. */
  first: Deferred<void> | undefined
  /** The promise that the user got for it. */
  outcome: Promise<unknown> | undefined
  /** How often in a row it was refused after a rejoin. */
  refusals = 0
  retry: ReturnType<typeof setTimeout> | undefined
  /** Hears when it is closed; with an error where the router revoked it. */
  closed: ((error: WampError | undefined) => void) | undefined
  /** Settles with the router's word, while that is awaited. */
  asking: Promise<unknown> | undefined
  readonly #owner: WishOwner

  constructor(owner: WishOwner) {
    this.#owner = owner
  }

  /** Asks the router; resolves when it has granted, and undoes what it grants to a wish that was closed meanwhile. */
  abstract ask(session: ClientSession): Promise<void>
  /** Takes back what the router granted. */
  abstract leave(session: ClientSession, waiting: Waiting): Promise<void>

  protected giveUp(waiting: Waiting = {}): Promise<void> {
    return this.#owner.giveUp(this, waiting)
  }
}
