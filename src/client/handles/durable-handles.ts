/** The state machine behind handles: requested on every join, retried when refused, until closed or revoked. */

import { EventEmitter } from 'eventemitter3'
import { unsent, WampError } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { CANCELED, REVOKED, STOPPED, TIMEOUT } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import { backoff } from '../base/backoff.ts'
import { canceled, type Deferred, deferred, limit, type Waiting, within } from '../base/waiting.ts'
import { checkOptions } from '../checks.ts'
import type { Registration } from '../roles/callee.ts'
import type { Subscription } from '../roles/subscriber.ts'
import type { ClientSession } from '../session/client-session.ts'
import type { Gap, HandleEvents, HandleState } from './handle.ts'

/** A durable subscription or registration, as a user sees it. */
export type Handle = Subscription | Registration

/** The error of a `subscribe` or `register` whose `timeout` has passed: only the wait has ended; the handle stays. */
export interface HandleTimeout extends WampError {
  readonly handle: Handle
}

/** A subscription or registration as the client keeps it. Users see it as its `handle`. */
export abstract class HandleRecord<Options extends Dict = Dict> {
  /** The view for users. */
  abstract readonly handle: Handle
  readonly uri: Uri
  readonly options: Readonly<Options>
  /** Changed by `DurableHandles` only, and by a draining stop. */
  state: HandleState = 'pending'
  error: WampError | undefined
  id: Id | undefined
  /** Settles the promise of the user, until the first answer or the end of the wait for it. */
  first: Deferred<void> | undefined
  /** Declared by a class: `start()` rejects with its refusal. */
  declared = false
  /** The router has granted it at least once. */
  granted = false
  /** Removes the listener from the signal of the user. */
  release: (() => void) | undefined
  /** The number of refusals in a row in this session. */
  refusals = 0
  /** When the last session that it was active in ended, until the next grant. */
  lostAt: number | undefined
  retry: ReturnType<typeof setTimeout> | undefined
  /** Settles with the router's answer, while that is awaited. */
  asking: Promise<unknown> | undefined
  readonly #owner: DurableHandles
  #closed: Deferred<WampError | undefined> | undefined
  #emitter: EventEmitter<HandleEvents> | undefined

  constructor(owner: DurableHandles, uri: Uri, options: Options) {
    checkOptions(options)
    this.#owner = owner
    this.uri = uri
    // It is sent on every rejoin: what a user changes later must not be.
    this.options = Object.freeze({ ...options })
  }

  /** Asks the router; resolves when it has granted. */
  abstract ask(session: ClientSession): Promise<void>
  /** Unsubscribes or unregisters at the router. */
  abstract leave(session: ClientSession, waiting: Waiting): Promise<void>

  end(waiting: Waiting = {}): Promise<void> {
    return this.#owner.end(this, waiting)
  }

  /** What it missed since `lostAt`; undefined for a kind that misses nothing. */
  abstract gap(since: number): Gap | undefined

  /** Created on first use, which is rare. */
  get closed(): Promise<WampError | undefined> {
    if (!this.#closed) {
      this.#closed = deferred()
      if (this.state === 'closed') this.#closed.resolve(this.error)
    }
    return this.#closed.promise
  }

  /** Created on first use, which is rare. */
  get emitter(): EventEmitter<HandleEvents> {
    this.#emitter ??= new EventEmitter<HandleEvents>()
    return this.#emitter
  }

  /** Enters a state and tells the listeners. They may end the handle in turn, so this comes last in every step. */
  become(state: HandleState): void {
    if (this.state === state) return
    this.state = state
    const { error } = this
    const closed = state === 'closed'
    if (closed) this.#closed?.resolve(error)
    this.emit('state', state)
    if (closed) this.emit('closed', error)
  }

  emit<Name extends keyof HandleEvents>(event: Name, ...given: Parameters<HandleEvents[Name]>): void {
    const emitter = this.#emitter as EventEmitter | undefined
    if (emitter) this.#owner.heed(() => emitter.emit(event, ...given))
  }
}

/** The part of a client that its handles need. */
export interface HandlesHost {
  readonly session: ClientSession | undefined
  /** A rejoin was refused, or the router revoked the handle. */
  tell(event: 'failed', handle: Handle, error: WampError): unknown
  /** A subscription has come back. */
  tell(event: 'gap', handle: Handle, gap: Gap): unknown
  raised(error: unknown, procedure?: Uri): void
  /** Reports what no promise can. */
  report(error: unknown): void
}

/** The handles of a client. */
export class DurableHandles {
  /** All handles that are not closed. */
  readonly all = new Set<HandleRecord>()
  readonly #host: HandlesHost

  constructor(host: HandlesHost) {
    this.#host = host
  }

  /** The handles of a kind that are not closed. */
  of<H extends Handle>(Kind: abstract new (...args: never[]) => HandleRecord & { readonly handle: H }): H[] {
    return [...this.all].flatMap((record) => (record instanceof Kind ? [record.handle] : []))
  }

  /**
   * Takes in a record; resolves to its handle when the router has granted it. The timeout ends this wait alone, the
   * signal ends the handle at any time.
   */
  add<H extends Handle>(record: HandleRecord & { readonly handle: H }, waiting: Waiting): Promise<H> {
    const { signal, timeout = 30_000 } = waiting
    if (signal?.aborted) throw canceled(signal, false)
    const first = deferred<void>()
    record.first = first
    this.all.add(record)
    if (signal) record.release = limit({ signal }, false, (error) => this.withdraw(record, error))
    const untimed = limit({ timeout }, false, () => {
      record.first = undefined
      const text = `${record.uri}: not granted within ${timeout} ms; the client goes on asking until the handle is closed`
      first.reject(Object.assign(unsent(TIMEOUT, text), { handle: record.handle }))
    })
    const { session } = this.#host
    if (session?.sendable) void this.ask(record, session)
    first.promise.then(untimed, untimed)
    return first.promise.then(() => record.handle)
  }

  /** Asks the router; resolves to the refusal, or to undefined if it granted or the session has ended. */
  ask(record: HandleRecord, session: ClientSession): Promise<WampError | undefined> {
    clearTimeout(record.retry)
    // Before the user learns of the answer, and may end the handle.
    const answered = () => {
      if (record.asking === asking) record.asking = undefined
    }
    const asking = record.ask(session).then(
      async () => {
        answered()
        if (record.state === 'closed') {
          await record.leave(session, {}).catch(() => {})
          return undefined
        }
        const { first, lostAt } = record
        record.first = undefined
        record.error = undefined
        record.granted = true
        record.refusals = 0
        first?.resolve()
        // The session may have ended after its answer, in the same read.
        if (session.over) {
          record.lostAt ??= Date.now()
          return undefined
        }
        record.lostAt = undefined
        record.become('active')
        const gap = lostAt === undefined ? undefined : record.gap(lostAt)
        if (gap) {
          record.emit('gap', gap)
          this.#host.tell('gap', record.handle, gap)
        }
        return undefined
      },
      (error: WampError) => {
        answered()
        if (!session.sendable || record.state === 'closed') return undefined
        if (record.granted) this.#refused(record, session, error)
        else this.#refusedFirst(record, error)
        return error
      },
    )
    record.asking = asking
    return asking
  }

  /** The router refused on a rejoin what it had granted before; the client asks again. */
  #refused(record: HandleRecord, session: ClientSession, error: WampError): void {
    const known = record.state === 'failed'
    record.error = error
    record.retry = setTimeout(() => void this.ask(record, session), backoff(++record.refusals, { initial: 1000 }))
    record.become('failed')
    if (!known) this.#host.tell('failed', record.handle, error)
  }

  /** The router refused what it has never granted: it would do so again. */
  #refusedFirst(record: HandleRecord, error: WampError): void {
    const awaited = record.first
    record.error = error
    this.#close(record, error)
    if (!awaited && !record.declared) this.#host.report(error)
  }

  withdraw(record: HandleRecord, error: WampError): void {
    const { first } = record
    record.first = undefined
    void this.end(record, {}).catch(() => {})
    first?.reject(error)
  }

  /** There will be no session: withdraws what was never granted. True if a user waits for any of it. */
  stop(error: WampError): boolean {
    let awaited = false
    for (const record of this.all) {
      if (record.granted) continue
      awaited ||= record.first !== undefined
      if (error.uri !== STOPPED) record.error = error
      this.withdraw(record, error)
    }
    return awaited
  }

  async end(record: HandleRecord, waiting: Waiting): Promise<void> {
    if (record.state === 'closed') return
    checkOptions(waiting)
    // Nothing was done: the handle stays as it is.
    if (waiting.signal?.aborted) throw canceled(waiting.signal, false)
    this.#close(record, unsent(CANCELED, `${record.uri} was given up`))
    const { session } = this.#host
    if (record.asking) await within(record.asking, waiting)
    else if (session?.sendable) {
      try {
        await record.leave(session, waiting)
      } catch (error) {
        // Ended with its session, or unknown to the router: either way the router does not hold it any more.
        if (!session.over && !/^wamp(\.error\.no_such_|y\.error\.stopped$)/.test((error as WampError).uri)) throw error
      }
    }
  }

  /** The router revoked the handle. It is closed: asking again would only fight the router. */
  revoke(record: HandleRecord, details: Dict): void {
    // The revocation has crossed an UNSUBSCRIBE or UNREGISTER.
    if (record.state === 'closed') return
    const { reason } = details
    const text = `the router revoked ${record.uri}${typeof reason === 'string' ? `: ${reason}` : ''}`
    const error = new WampError(REVOKED, [text], {}, { details })
    record.error = error
    // There is nothing left to unsubscribe or unregister.
    record.id = undefined
    // The grant may have come in the same read, before its user learned of it.
    this.#close(record, error)
    this.#host.tell('failed', record.handle, error)
  }

  /** The session has ended: every handle must be requested again. */
  lost(): void {
    for (const record of this.all) {
      clearTimeout(record.retry)
      record.id = undefined
      record.refusals = 0
      if (record.state === 'active') record.lostAt = Date.now()
      record.become('pending')
    }
  }

  /** Runs listeners of a user. */
  heed(task: () => unknown): void {
    try {
      task()
    } catch (error) {
      this.#host.raised(error)
    }
  }

  #close(record: HandleRecord, error: WampError): void {
    const { first } = record
    record.first = undefined
    this.all.delete(record)
    clearTimeout(record.retry)
    record.release?.()
    first?.reject(error)
    record.become('closed')
  }
}
