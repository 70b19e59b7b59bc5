/** Invocations: a call as its procedure sees it, from its first part to its answer. */

import { ERROR, INVOCATION, YIELD } from '../../protocol/codes.ts'
import { thrown, WampError } from '../../protocol/error.ts'
import type { Id, InvocationMessage, Uri } from '../../protocol/messages.ts'
import { CANCELED, RUNTIME_ERROR } from '../../protocol/names.ts'
import type { Dict, InvocationDetails, List, WireInterruptOptions } from '../../protocol/options.ts'
import { type Payload, payload } from '../../protocol/payload.ts'
import { isUri } from '../../protocol/uri.ts'
import { isDict } from '../../protocol/validate.ts'
import { overflow, Parts, pump } from '../base/part-stream.ts'
import { isThenable, limit } from '../base/waiting.ts'
import type { ClientSession } from '../session/client-session.ts'
import type { RegistrationRecord } from './callee.ts'
import { payloadOf } from './result.ts'

/** One part of a call. */
export interface Part {
  readonly args: List
  readonly kwargs: Dict
  readonly details: InvocationDetails
}

/** One call of a procedure, as the procedure sees it. `Input` is the type of the items of `input`. */
// biome-ignore lint/suspicious/noExplicitAny: a method may declare the type it expects, as `Invocation<number>`
export class Invocation<Input = any, Kwargs = Dict> {
  readonly args: List
  readonly kwargs: Kwargs
  readonly details: InvocationDetails
  /** The URI that was called. */
  readonly procedure: Uri
  #running: Running

  // Constructed by `InvocationOf`: users receive invocations and do not create them.
  private constructor(running: Running, procedure: Uri, details: InvocationDetails, data: Payload | undefined) {
    this.#running = running
    this.procedure = details.procedure ?? procedure
    this.details = details
    this.args = data?.args ?? []
    this.kwargs = (data?.kwargs ?? {}) as Kwargs
  }

  /** The caller's session, if disclosed. */
  get caller(): Id | undefined {
    return this.details.caller
  }

  /** The caller's authid, if disclosed. */
  get callerAuthid(): string | undefined {
    return this.details.caller_authid
  }

  /** The caller's authrole, if disclosed. */
  get callerAuthrole(): string | undefined {
    return this.details.caller_authrole
  }

  /**
   * Aborts when nobody waits for the result any more, with a WampError as its reason. A procedure that has read this
   * property decides when an interrupted call ends; otherwise the caller is answered at once.
   */
  get signal(): AbortSignal {
    return this.#running.signal
  }

  /** True when nobody waits for the result any more. Unlike reading `signal`, reading this changes nothing. */
  get canceled(): boolean {
    return this.#running.canceled
  }

  /** True if the caller accepts progressive results. */
  get wantsProgress(): boolean {
    return this.#running.talks
  }

  /** Sends a progressive result. Returns false, having sent nothing, if the caller does not accept any. */
  progress(args?: List, kwargs?: Dict): boolean {
    return this.#running.progress(payload(args, kwargs))
  }

  /** The first positional value of each further part; empty for a call in one part. Throws if the call ends first. */
  get input(): AsyncIterable<Input> {
    return firsts(this.parts) as AsyncIterable<Input>
  }

  /** As `input`, but each part in full. */
  get parts(): AsyncIterable<Part> {
    return this.#running.parts
  }
}

/** `Invocation` with its constructor, which the public type hides. */
export const InvocationOf = Invocation as unknown as new (
  running: Running,
  procedure: Uri,
  details: InvocationDetails,
  data: Payload | undefined,
) => Invocation

async function* firsts(parts: AsyncIterable<Part>): AsyncGenerator<unknown, void> {
  for await (const { args } of parts) yield args[0]
}

/** Returns the error for the caller: a WampError is sent unchanged, anything else as `wamp.error.runtime_error` with its message. */
export type OnError = (error: unknown, invocation: Invocation) => unknown

/** The invocations of a session. */
export interface Invocations {
  readonly onError: OnError | undefined
  /** Unanswered invocations. */
  readonly running: Map<Id, Running>
  /** Invocations that were answered before their last part arrived. */
  readonly late: Set<Id>
}

/** The number of answered invocations with outstanding parts that are remembered. */
const MOST_LATE = 1000

/** Remembers an answered invocation until its last part arrives: parts must not be taken for new calls. */
export function remember({ late }: Invocations, id: Id): void {
  late.add(id)
  if (late.size > MOST_LATE) late.delete(late.values().next().value as Id)
}

/** An unanswered invocation. */
export class Running {
  readonly #session: ClientSession
  readonly #all: Invocations
  readonly #registration: RegistrationRecord
  readonly #id: Id
  readonly #details: InvocationDetails
  #invocation: Invocation | undefined
  /** True if the caller has announced more parts. */
  #more: boolean
  /** The reason that nobody waits for it any more. */
  #stopped: WampError | undefined
  #parts: Parts<Part> | undefined
  #controller: AbortController | undefined
  #yields: AsyncIterator<unknown> | undefined
  #untimed: (() => void) | undefined

  constructor(
    session: ClientSession,
    all: Invocations,
    [, id, , details]: InvocationMessage,
    registration: RegistrationRecord,
  ) {
    this.#session = session
    this.#all = all
    this.#registration = registration
    this.#id = id
    this.#details = details
    this.#more = details.progress === true
    all.running.set(id, this)
    this.#time()
  }

  // Created on first use: few procedures read it.
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#stopped) this.#controller.abort(this.#stopped)
    }
    return this.#controller.signal
  }

  /** The further parts. */
  get parts(): Parts<Part> {
    if (!this.#parts) {
      this.#parts = new Parts(this.#session.owner.load)
      if (!this.#more || !this.#live) this.#parts.end(this.#stopped)
    }
    return this.#parts
  }

  get canceled(): boolean {
    return !this.#live || this.#stopped !== undefined
  }

  get talks(): boolean {
    return this.#details.receive_progress === true && !this.canceled
  }

  get #live(): boolean {
    return this.#all.running.get(this.#id) === this
  }

  progress(data: Payload | undefined): boolean {
    if (!this.talks) return false
    this.#session.send([YIELD, this.#id, { progress: true }, data])
    this.#time()
    return true
  }

  /** Handles a further part of the call; false if none was due. */
  part(details: InvocationDetails, data: Payload | undefined): boolean {
    if (!this.#more) return false
    this.#more = details.progress === true
    const { args = [], kwargs = {} } = data ?? {}
    const { parts } = this
    // The last part may be empty.
    const says = this.#more || args.length || Object.keys(kwargs).length
    const { buffer, uri } = this.#registration
    if (says && !parts.push({ args, kwargs, details }, buffer)) {
      this.#session.dropped.parts++
      const error = overflow(buffer, `parts of the call of ${uri}`)
      this.stop(error)
      this.#fail(error)
    } else if (!this.#more) parts.end()
    return true
  }

  interrupt({ mode, reason }: WireInterruptOptions): void {
    const uri = typeof reason === 'string' && isUri(reason) ? reason : CANCELED
    this.stop(new WampError(uri, ['the call was canceled']))
    if (mode === 'killnowait' || mode === 'skip') this.#over()
    // A procedure that has not read the signal could not know; one that has answers by itself.
    else if (!this.#controller) this.#fail(this.#stopped)
  }

  /** Aborts the signal: nobody waits for the result any more. */
  stop(error: WampError): void {
    this.#stopped ??= error
    this.#parts?.end(error, true)
    this.#controller?.abort(error)
    this.#leave()
  }

  /** The session has ended. */
  lost(text: string): void {
    this.stop(new WampError(CANCELED, [text]))
    this.#over()
  }

  run(invocation: Invocation, endpoint: () => unknown): void {
    this.#invocation = invocation
    try {
      const result = endpoint()
      if (isThenable(result)) {
        const done = this.#session.owner.load.begin()
        result.then(
          (value) => {
            done()
            this.#succeed(value)
          },
          (error) => {
            done()
            this.#fail(error)
          },
        )
      } else this.#succeed(result)
    } catch (error) {
      this.#fail(error)
    }
  }

  #succeed(value: unknown): void {
    let streams: boolean
    try {
      streams = typeof value === 'object' && value !== null && Symbol.asyncIterator in value
    } catch (error) {
      // A proxy with a trap that throws.
      this.#fail(error)
      return
    }
    if (streams) {
      void this.#stream(value as AsyncIterable<unknown>)
      return
    }
    if (!this.#over()) return
    try {
      // Nothing is null, as from autobahn: the Python library wampy, among others, cannot read a RESULT without arguments.
      this.#session.send([YIELD, this.#id, {}, payloadOf(value ?? null)])
    } catch (error) {
      // The result cannot travel, and the caller must not wait for it.
      this.#session.owner.raised(error, this.#procedure)
      this.#answer(this.#errorAnswer(error))
    }
  }

  #fail(value: unknown): void {
    const stopped = this.#stopped
    if (!this.#over()) return
    if (!stopped && isException(value)) this.#session.owner.raised(value, this.#procedure)
    // An error of an interrupted procedure is a consequence of the interruption.
    this.#answer(stopped && (value === stopped || !WampError.is(value)) ? stopped : this.#errorAnswer(value))
  }

  /** Sends yielded values as progressive results, and the return value as the result. */
  async #stream(iterable: AsyncIterable<unknown>): Promise<void> {
    const done = this.#session.owner.load.begin()
    try {
      const yields = iterable[Symbol.asyncIterator]()
      this.#yields = yields
      const going = () => this.#live && !this.#stopped
      const last = await pump(this.#session.link, yields, going, (item) => this.progress(payloadOf(item)))
      if (last.done) this.#yields = undefined
      if (this.#stopped) throw this.#stopped
      this.#succeed(last.value)
    } catch (error) {
      this.#leave()
      this.#fail(error)
    } finally {
      done()
    }
  }

  #leave(): void {
    const yields = this.#yields
    this.#yields = undefined
    if (yields) this.#session.heed(() => yields.return?.())
  }

  /** Returns true if it was unanswered; from now on it is answered. */
  #over(): boolean {
    if (!this.#live) return false
    this.#all.running.delete(this.#id)
    this.#untimed?.()
    if (this.#more) remember(this.#all, this.#id)
    this.#parts?.end()
    return true
  }

  /** Enforces the timeout if the dealer leaves that to the callee: from the call or its last progressive result on. */
  #time(): void {
    // A bigint if the caller sends the greatest integer of its language for "no limit".
    const timeout = Number(this.#details.timeout)
    if (!timeout) return
    this.#untimed?.()
    this.#untimed = limit({ timeout }, true, (error) => {
      this.stop(error)
      this.#fail(error)
    })
  }

  /** Passes the error of a procedure through the client's `onError`. */
  #errorAnswer(value: unknown): WampError {
    try {
      return thrown(this.#all.onError?.(value, this.#invocation as Invocation) ?? value)
    } catch (broken) {
      this.#session.owner.raised(broken)
      // `onError` may have been about to redact the error.
      return new WampError(RUNTIME_ERROR, ['the procedure failed'])
    }
  }

  get #procedure(): Uri | undefined {
    return this.#invocation?.procedure
  }

  #answer(error: WampError): void {
    answerError(this.#session, this.#id, error)
  }
}

/** False for an error that a procedure throws, or passes on, for its caller. */
function isException(error: unknown): boolean {
  try {
    return !WampError.is(error) || error.sent === false
  } catch {
    return true
  }
}

export function answerError(session: ClientSession, id: Id, error: WampError): void {
  let uri: Uri = RUNTIME_ERROR
  // A procedure may throw any value: reading it may throw, and its content may be unable to travel.
  const attempts = [
    () => {
      const { args, kwargs, message } = error
      // An invalid URI, or args that are not a list, would be a violation and end the session.
      if (typeof error.uri === 'string' && isUri(error.uri)) uri = error.uri
      const named = isDict(kwargs) && Object.keys(kwargs).length > 0
      if (!Array.isArray(args)) return payload([message])
      return payload(args.length || named ? args : undefined, named ? kwargs : undefined)
    },
    () => payload([String(error.message)]),
    () => payload(['the procedure failed']),
  ]
  for (const attempt of attempts) {
    try {
      const data = attempt()
      session.send([ERROR, INVOCATION, id, {}, uri, data])
      return
    } catch {}
  }
}
