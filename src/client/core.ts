/** What a client is behind its public face: its state, its session and run, and what those tell it. */

import { thrown, WampError } from '../protocol/error.ts'
import { RUNTIME_ERROR } from '../protocol/names.ts'
import type { SessionEnd } from '../session/session.ts'
import type { Deferred } from './base/waiting.ts'
import { endOf } from './connection/join.ts'
import type { Run } from './connection/reconnect.ts'
import { DurableHandles, type Handle, type HandlesHost } from './handles/durable-handles.ts'
import type { ClientOptions, Settings } from './options.ts'
import type { Invocation } from './roles/invocation.ts'
import type { ClientSession, ClientSessionOwner, Dropped, SessionInfo } from './session/client-session.ts'

export type ClientState = 'stopped' | 'connecting' | 'ready' | 'reconnecting'

export interface ClientEvents {
  /** Every change of `client.state`. */
  state: (state: ClientState) => void
  /** Joined, and every handle has been asked for again. */
  ready: (session: SessionInfo) => void
  /** The session ended, and nobody here had asked for it. */
  lost: (cause: WampError) => void
  /** Another attempt follows in `delay` milliseconds. */
  retry: (retry: { readonly attempt: number; readonly delay: number; readonly cause: WampError }) => void
  /** The end, by `stop()` or by a cause that another attempt cannot mend. */
  stopped: (cause?: WampError) => void
  /** The router refused on a rejoin what it had granted before, and is asked again; or revoked it: the handle is closed. */
  failed: (handle: Handle, error: WampError) => void
  /** What a handler or a procedure threw. Without a listener, what no caller is told goes to the console. */
  error: (error: unknown) => void
}

export class Core implements ClientSessionOwner, HandlesHost {
  readonly options: ClientOptions
  readonly settings: Settings
  readonly dropped: Dropped = { answers: 0, events: 0, parts: 0 }
  readonly handles = new DurableHandles(this)
  /** Who waits for a session to send on. */
  readonly waiting = new Set<Deferred<ClientSession>>()
  /** One for each link that is not gone yet. */
  readonly links = new Set<Promise<void>>()
  state: ClientState = 'stopped'
  session: ClientSession | undefined
  run: Run | undefined
  readonly #emit: (event: string, ...args: unknown[]) => boolean

  constructor(options: ClientOptions, settings: Settings, emit: (event: string, ...args: unknown[]) => boolean) {
    this.options = options
    this.settings = settings
    this.#emit = emit
  }

  /** The session, if it can be sent on. */
  get open(): ClientSession | undefined {
    return this.session?.sendable ? this.session : undefined
  }

  become(state: ClientState): void {
    if (this.state === state) return
    this.state = state
    this.tell('state', state)
  }

  tell(event: keyof ClientEvents, ...args: unknown[]): void {
    try {
      this.#emit(event, ...args)
    } catch (error) {
      this.raised(error, false)
    }
  }

  raised(error: unknown, answered: boolean): void {
    let heard = answered
    try {
      heard = this.#emit('error', error) || answered
    } catch (thrown) {
      console.error(thrown)
    }
    if (!heard) console.error(error)
  }

  told(error: unknown, invocation: Invocation): WampError {
    try {
      return thrown(this.options.onError?.(error, invocation) ?? error)
    } catch (broken) {
      this.raised(broken, false)
      // It may have been about to take something out.
      return new WampError(RUNTIME_ERROR, ['the procedure failed'])
    }
  }

  ended(session: ClientSession, end: SessionEnd): void {
    if (this.session !== session) return
    const { run } = this
    this.handles.lost()
    if (!run || run.ending) return
    this.session = undefined
    if (!run.ready) return
    this.become('reconnecting')
    this.tell('lost', endOf(end))
  }
}
