/** One run of a client, from `start()` to its end: attempts to join, sessions, and the delays between them. */

import type { AuthContext } from '../../auth/contract.ts'
import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { unsent, usage, WampError } from '../../protocol/error.ts'
import { CLOSE_REALM, CONNECTION_FAILED, CONNECTION_LOST, STOPPED, TIMEOUT } from '../../protocol/names.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Link } from '../../session/link.ts'
import { backoff } from '../base/backoff.ts'
import { limit, within } from '../base/waiting.ts'
import type { HandleRecord } from '../handles/durable-handles.ts'
import { ClientSession } from '../session/client-session.ts'
import type { ClientCore } from './client-core.ts'
import { endOf, join } from './join.ts'
import { speaksEvery, watch } from './liveness.ts'
import { onLeave, onWake } from './page-lifecycle.ts'

/** Milliseconds after which a session counts as stable. */
const STABLE = 5000

// Another attempt would get the same answer.
const FATAL =
  /^wamp(\.error\.(no_such_(realm|role|principal)|not_authorized|authenti|authorization|no_(matching_)?auth_method|invalid_uri)|y\.error\.usage$)/

/** A delay that causes no hot loop: at least 1 ms more with each attempt, up to 100 ms. */
function paced(delay: number, attempt: number): number {
  return Math.max(delay, Math.min(attempt, 100))
}

/** Called after every loss and every failed attempt; returns a delay in milliseconds, or false to stop. */
export type Retry = (attempt: number, cause: WampError) => number | false

/** The error of operations that `stop()` ends. */
export function stoppedBy(name: string): WampError {
  return unsent(STOPPED, `${name} was stopped`)
}

export class Run {
  readonly #core: ClientCore
  readonly #name: string
  readonly #controller = new AbortController()
  done: Promise<void> = Promise.resolve()
  /** The run that ends before this one begins; until then the session is that of the other. */
  before: Run | undefined
  /** True once its end has begun: no attempt follows, although a session in which work is in progress may go on. */
  ending = false
  /** True if it has been ready once. */
  ready = false
  /** The cause of its end; undefined for `stop()`. */
  #cause: WampError | undefined
  /** The cause of the last failed attempt. */
  last: WampError | undefined
  /** Ends the wait for the next attempt. */
  #wake = () => {}
  /** Aborts the current attempt. */
  #abandon = (_why: WampError) => {}
  /** A page that was left makes no attempts until it returns. */
  #page: 'here' | 'left' | 'back' = 'here'
  /** The time at which an event of the page last ended a wait. */
  #woken = Number.NEGATIVE_INFINITY

  constructor(core: ClientCore, name: string) {
    this.#core = core
    this.#name = name
  }

  /** Begins when the previous run has ended. */
  begin(before: Run | undefined, own: readonly HandleRecord[]): void {
    const { handles } = this.#core
    this.before = before
    const ignore = onLeave(
      () => this.#leave(),
      () => this.#return(),
    )
    this.done = (async () => {
      await before?.done
      this.before = undefined
      for (const record of own) {
        record.declared = true
        handles.all.add(record)
      }
      await this.#live(own)
      ignore()
      for (const record of own) void handles.end(record, {})
    })()
  }

  async #live(own: readonly HandleRecord[]): Promise<void> {
    const core = this.#core
    let retries = 0
    while (!this.ending) {
      if (this.#page !== 'here') {
        retries = 0
        await this.#returned()
        if (this.ending) break
      }
      this.#core.become(this.ready ? 'reconnecting' : 'connecting')
      let joined = Number.POSITIVE_INFINITY
      try {
        const session = await this.#join()
        await this.#replay(session, own)
        joined = performance.now()
        this.last = await this.#serve(session)
      } catch (error) {
        this.last = WampError.is(error)
          ? error
          : new WampError(CONNECTION_FAILED, [String(error)], {}, { cause: error })
      }
      if (this.ending) break
      if (this.#page !== 'here' && core.settings.reconnect !== false) continue
      // A session that ended at once does not reset the delays.
      retries = performance.now() - joined > STABLE ? 1 : retries + 1
      const delay = this.#delay(retries, this.last)
      if (delay === false) this.end(this.last)
      else if (await this.#pause({ attempt: retries, delay, cause: this.last })) retries = 0
    }
    this.end()
    core.session?.goodbye(CLOSE_REALM)
    await Promise.all(core.links)
    core.session = undefined
    if (core.run === this) core.run = undefined
    this.#core.become('stopped')
    const cause = this.#cause
    // A client that was ready has no promise left that could reject with the refusal.
    if (!core.tell('stopped', cause) && this.ready && cause && FATAL.test(cause.uri)) core.report(cause)
  }

  /** Begins its end: the session goes on until it is lost or `end` follows. */
  drain(): void {
    this.ending = true
    this.#wake()
  }

  end(cause?: WampError): void {
    if (this.#controller.signal.aborted) return
    const { run, session, waiting, handles } = this.#core
    this.#cause = cause
    this.#controller.abort()
    this.drain()
    const stopped = cause ?? stoppedBy(this.#name)
    let awaited = waiting.size > 0
    // If a run follows, whatever waits for a session gets that of the next.
    if (run === this) {
      for (const one of waiting) one.reject(stopped)
      awaited = handles.stop(stopped) || awaited
    }
    if (!this.before) {
      session?.requests.fail(new WampError(stopped.uri, stopped.args, {}, { sent: true, cause }), !cause)
      session?.goodbye(CLOSE_REALM)
    }
    if (cause && !this.ready && !awaited) this.#core.report(cause)
  }

  /** Connects and joins within the time of one attempt; if it rejects, nothing stays open. */
  async #join(): Promise<ClientSession> {
    const core = this.#core
    const { connector, serializers } = core.settings
    const attempt = new AbortController()
    this.#abandon = (why) => attempt.abort(why)
    const release = limit(
      { signal: this.#controller.signal, timeout: this.#core.settings.connectTimeout },
      false,
      (error) => {
        const { uri, message } = error
        attempt.abort(uri === TIMEOUT ? new WampError(uri, [`${connector.name}: ${message}`]) : error)
      },
    )
    try {
      const { auth } = core
      let link: Link | undefined
      // Before the router's time limit for HELLO begins: credentials may have to be fetched.
      const context: AuthContext = {
        realm: core.settings.realm,
        signal: attempt.signal,
        channelBinding: (type, dialect) => link?.channelBinding?.(type, dialect),
      }
      const offer = auth[0] && (await within(auth[0].offer(auth, context), attempt))
      // A dial that ignores its signal is not waited for.
      const dialed = connector.connect(serializers, attempt.signal)
      link = await within(dialed, attempt, (late) => late.terminate())
      const session = new ClientSession(core.settings.codecs?.(link, core) ?? link, core)
      const gone = session.gone.promise.then(() => void core.links.delete(gone))
      core.links.add(gone)
      try {
        const every = speaksEvery(link, core.settings.liveness)
        await join(session, core.settings, attempt.signal, every ? { _speaks_every: every } : {}, offer)
      } catch (error) {
        await session.gone.promise
        throw error
      }
      core.session = session
      if (this.ending) session.goodbye(CLOSE_REALM)
      return session
    } catch (error) {
      throw attempt.signal.reason ?? error
    } finally {
      release()
    }
  }

  /** Requests every handle; on the first join, the refusal of a declared handle ends the run. */
  async #replay(session: ClientSession, own: readonly HandleRecord[]): Promise<void> {
    const release = limit({ timeout: this.#core.settings.connectTimeout }, true, (error) => session.drop(error.message))
    const { handles } = this.#core
    const answers = await Promise.all(
      [...handles.all].map(async (record) => ({ record, refusal: await handles.ask(record, session) })),
    )
    release()
    if (session.over) throw endOf(await session.finished.promise)
    const refused = this.ready ? undefined : answers.find(({ record, refusal }) => refusal && own.includes(record))
    if (refused) this.end(refused.refusal)
  }

  /** The client is ready until the session ends; resolves to the cause. */
  async #serve(session: ClientSession): Promise<WampError> {
    if (!this.ending) {
      this.ready = true
      const release = watch(session, this.#core.settings.liveness)
      session.finished.promise.then(release)
      this.#core.become('ready')
      for (const waiting of this.#core.waiting) waiting.resolve(session)
      this.#core.tell('ready', session.info)
    }
    return endOf(await session.finished.promise)
  }

  #delay(attempt: number, cause: WampError): number | false {
    const { reconnect } = this.#core.settings
    if (typeof reconnect === 'function') {
      try {
        const delay = reconnect(attempt, cause)
        if (delay === false) return false
        if (delay >= 0) return paced(delay, attempt)
        throw usage(`reconnect must return milliseconds or false, got ${formatValue(delay)}`)
      } catch (error) {
        this.#core.raised(error)
        return false
      }
    }
    if (reconnect === false || FATAL.test(cause.uri)) return false
    return paced(backoff(attempt, reconnect === true ? {} : reconnect), attempt)
  }

  /** Waits before the next attempt; resolves to true if an event of the page ended the wait early. */
  async #pause(retry: { attempt: number; delay: number; cause: WampError }): Promise<boolean> {
    this.#core.become(this.ready ? 'reconnecting' : 'connecting')
    this.#core.tell('retry', retry)
    if (this.ending) return false
    const began = this.#woken
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#wake(), Math.min(retry.delay, LONGEST_TIMER))
      // A page that returns to the network or to the foreground does not wait.
      const release = onWake(() => {
        // Such events come in bursts: the first causes an attempt, and the usual delays follow.
        if (performance.now() - this.#woken < STABLE) return
        this.#woken = performance.now()
        this.#wake()
      })
      this.#wake = () => {
        clearTimeout(timer)
        release()
        resolve()
      }
    })
    return this.#woken !== began
  }

  /** The page is left or frozen: the session ends now, because nothing could end it later. */
  #leave(): void {
    const { session } = this.#core
    // A router inside the page is frozen and returns with it.
    if (session?.link.local) return
    this.#page = 'left'
    const text = 'the page was left'
    session?.depart(text)
    this.#abandon(new WampError(CONNECTION_LOST, [text]))
    this.#wake()
  }

  #return(): void {
    if (this.#page !== 'left') return
    this.#page = 'back'
    this.#woken = performance.now()
    this.#wake()
  }

  async #returned(): Promise<void> {
    while (this.#page === 'left' && !this.ending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#page = 'here'
  }
}
