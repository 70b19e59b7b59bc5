/** The wishes of a client: asked for on every join, tried again when refused, until they are given up or revoked. */

import { unsent, WampError } from '../../protocol/error.ts'
import { CANCELED, REVOKED } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import { backoff } from '../base/backoff.ts'
import { canceled, deferred, limit, type Waiting, within } from '../base/waiting.ts'
import type { Registration } from '../roles/callee.ts'
import type { Subscription } from '../roles/subscriber.ts'
import type { ClientSession } from '../session/client-session.ts'
import type { WishOwner } from './wish.ts'

export type Handle = Subscription | Registration

/** What wishes need of their client. */
export interface WishesHost {
  readonly session: ClientSession | undefined
  /** The router took back what it had granted. */
  tell(event: 'failed', wish: Handle, error: WampError): void
}

export class Wishes implements WishOwner {
  /** Those that are not given up. */
  readonly all = new Set<Handle>()
  readonly #host: WishesHost

  constructor(host: WishesHost) {
    this.#host = host
  }

  /** Takes in a wish; resolves when it is granted. */
  add<W extends Handle>(wish: W, { signal, timeout = 30_000 }: Waiting): Promise<W> {
    if (signal?.aborted) throw canceled(signal, false)
    const waiting = deferred<void>()
    wish.first = waiting
    this.all.add(wish)
    const release = limit({ signal, timeout }, false, (error) => this.withdraw(wish, error))
    const { session } = this.#host
    if (session?.sendable) void this.ask(wish, session)
    waiting.promise.then(release, release)
    const granted = waiting.promise.then(() => wish)
    wish.outcome = granted
    return granted
  }

  /** Asks the router for a wish; resolves to the refusal, or to undefined where it was granted or the session is over. */
  ask(wish: Handle, session: ClientSession): Promise<WampError | undefined> {
    clearTimeout(wish.retry)
    // Before the user hears of the answer, and may give the wish up.
    const answered = () => {
      if (wish.asking === asking) wish.asking = undefined
    }
    const asking = wish.ask(session).then(
      async () => {
        answered()
        if (wish.state === 'closed') {
          await wish.leave(session, {}).catch(() => {})
          return undefined
        }
        // The session may have ended behind its answer, in the same read.
        if (!session.over) wish.state = 'active'
        wish.error = undefined
        wish.refusals = 0
        wish.first?.resolve()
        wish.first = undefined
        return undefined
      },
      (error: WampError) => {
        answered()
        if (!session.sendable || wish.state === 'closed') return undefined
        if (wish.first) this.withdraw(wish, error)
        else this.#refused(wish, session, error)
        return error
      },
    )
    wish.asking = asking
    return asking
  }

  /** The router took back what it had granted: the handle says so, and it is asked for again. */
  #refused(wish: Handle, session: ClientSession, error: WampError): void {
    const told = wish.state === 'failed'
    wish.state = 'failed'
    wish.error = error
    wish.retry = setTimeout(() => void this.ask(wish, session), backoff(++wish.refusals, { initial: 1000 }))
    if (!told) this.#host.tell('failed', wish, error)
  }

  withdraw(wish: Handle, error: WampError, quietly = false): void {
    const { first: waiting } = wish
    wish.first = undefined
    // Who stops on purpose need not be told that what it stopped did not finish.
    if (quietly) wish.outcome?.catch(() => {})
    void this.giveUp(wish, {}).catch(() => {})
    waiting?.reject(error)
  }

  /** There will be no session: those that were not granted yet are withdrawn, quietly where their users are told elsewhere. */
  stop(error: WampError, quietly: boolean): void {
    for (const wish of this.all) if (wish.first) this.withdraw(wish, error, quietly)
  }

  async giveUp(wish: Handle, waiting: Waiting): Promise<void> {
    if (wish.state === 'closed') return
    // Nothing was done: the handle stays as it is.
    if (waiting.signal?.aborted) throw canceled(waiting.signal, false)
    this.#close(wish)
    wish.first?.reject(unsent(CANCELED, `${wish.uri} was given up`))
    wish.first = undefined
    const { session } = this.#host
    if (wish.asking) await within(wish.asking, waiting)
    else if (session?.sendable) {
      try {
        await wish.leave(session, waiting)
      } catch (error) {
        // Gone with its session, or unknown to the router: either way it is not held any more.
        if (!session.over && !/^wamp\.error\.no_such_/.test((error as WampError).uri)) throw error
      }
    }
  }

  /** The router took back what it had granted, and that is the end of it: asking again would be a fight. */
  revoke(wish: Handle, details: Dict): void {
    // It has crossed the word that the wish is given up.
    if (wish.state === 'closed') return
    const { reason } = details
    const text = `the router revoked ${wish.uri}${typeof reason === 'string' ? `: ${reason}` : ''}`
    const error = new WampError(REVOKED, [text], {}, { details })
    wish.error = error
    // There is nothing left to give back.
    wish.id = undefined
    this.#close(wish)
    // The grant may have come in the same read, and nobody heard of it yet.
    wish.first?.reject(error)
    wish.first = undefined
    this.#host.tell('failed', wish, error)
  }

  /** The session is over: what it granted is to be asked for anew. */
  lost(): void {
    for (const wish of this.all) {
      clearTimeout(wish.retry)
      wish.id = undefined
      wish.state = 'pending'
    }
  }

  #close(wish: Handle): void {
    wish.state = 'closed'
    this.all.delete(wish)
    clearTimeout(wish.retry)
    wish.closed?.(wish.error)
  }
}
