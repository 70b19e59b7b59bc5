/** The caller: CALL in one part or several, CANCEL, and RESULT as the first value or in full. */

import { CALL, CANCEL, RESULT } from '../../protocol/codes.ts'
import { unsent, WampError } from '../../protocol/error.ts'
import type { Id, ResultMessage, Uri } from '../../protocol/messages.ts'
import { CANCELED, FEATURE_NOT_SUPPORTED } from '../../protocol/names.ts'
import type {
  CancelMode,
  Dict,
  KnownKeys,
  List,
  ResultDetails,
  WireCallOptions as WireOptions,
} from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import { BUFFER, overflow, Parts, pump } from '../base/part-stream.ts'
import { deferred, limit, type Waiting } from '../base/waiting.ts'
import type { ClientSession, ClientSessionOwner } from '../session/client-session.ts'
import { CALLER_FEATURES } from './features.ts'
import { payloadOf } from './result.ts'
import type { Role } from './role.ts'

/** Progressive results are passed on as they arrive. */
export type ProgressHandler = (args: List, kwargs: Dict, details: ResultDetails) => unknown

/** Without the keys that `call` derives from its own options. */
export type CallKeys = Omit<KnownKeys<WireOptions>, 'timeout' | 'progress'>

// A symbol, so that no option of a user is taken for it.
export const BEFORE = /* @__PURE__ */ Symbol('before')

/** An option of functions over a client. */
export interface BeforeCall {
  /** Called with the session of a call before that is sent; an error that it throws is that of the call. */
  readonly [BEFORE]?: ((session: ClientSession) => unknown) | undefined
}

/** The options of a call: those of this library, and any key of CALL.Options in WAMP's spelling. */
export interface CallOptions extends Waiting, Dict, CallKeys {
  /** Waits for a session if there is none, instead of failing at once. */
  readonly waitForReady?: boolean
  /** Receives progressive results. `timeout` then applies to each of them anew. */
  readonly onProgress?: ProgressHandler | undefined
  /**
   * Sent to the procedure after the arguments, item by item, as its `invocation.input`. An item is the only positional
   * argument of its part, or a `Result` with more.
   */
  readonly input?: AsyncIterable<unknown> | Iterable<unknown> | undefined
  /**
   * The number of progressive results that may wait for a slow reader of `client.progress` or `client.stream`. Default
   * 65 536. One more cancels the call: its loop (after the waiting ones) and its result end with
   * `wampy.error.limit_exceeded`.
   */
  readonly buffer?: number | undefined
  /**
   * The effect of `signal` at the other end: `skip` leaves the procedure running, `killnowait` (default) interrupts it,
   * and `kill` interrupts it and waits for its answer, which may be its result.
   */
  readonly cancelMode?: CancelMode | undefined
}

/** The whole result of a procedure. */
export interface CallResult {
  readonly args: List
  readonly kwargs: Dict
  readonly details: ResultDetails
}

/**
 * A call with progressive results: an iteration over the first positional value of each. Leaving the loop cancels the
 * call.
 */
export interface Progress<Part = unknown, Final = unknown> extends AsyncIterableIterator<Part, undefined> {
  /** The final result; rejects with the error of the loop. */
  readonly result: Promise<Final>
}

export const caller: Role = {
  name: 'caller',
  features: CALLER_FEATURES,
  handlers: {
    [RESULT]: (message, session) => {
      const how = message[2].progress === true ? 'part' : 'settle'
      if (!session.requests[how](CALL, message[1], message)) session.dropped.answers++
    },
  },
}

/** The mode of a CANCEL whose caller does not wait for the callee. */
const WITHOUT_WAITING = {
  skip: 'skip',
  kill: 'killnowait',
  killnowait: 'killnowait',
} as const satisfies Record<CancelMode, CancelMode>

/** The first positional result; undefined if there is none. */
export const first = ([, , , data]: ResultMessage): unknown => data?.args?.[0]

/** The whole result. */
export const whole = ([, , details, data]: ResultMessage): CallResult => ({
  args: data?.args ?? [],
  kwargs: data?.kwargs ?? {},
  details,
})

export function call<T>(
  session: ClientSession,
  procedure: Uri,
  args: List | undefined,
  kwargs: Dict | undefined,
  given: CallOptions,
  settle: (result: ResultMessage) => T,
): Promise<T> {
  const {
    signal,
    timeout = 0,
    waitForReady: _,
    cancelMode = 'killnowait',
    onProgress,
    input,
    buffer: __,
    [BEFORE]: before,
    ...rest
  }: CallOptions & BeforeCall = given
  before?.(session)
  const options: { -readonly [Key in keyof WireOptions]: WireOptions[Key] } = rest
  if (onProgress) options.receive_progress = true
  if (input) {
    if (!session.announces('dealer', 'progressive_call_invocations')) {
      throw unsent(FEATURE_NOT_SUPPORTED, 'the router takes no call in parts')
    }
    options.progress = true
  }
  // Milliseconds on the wire are integers.
  if (timeout > 0 && timeout < Number.MAX_SAFE_INTEGER && session.announces('dealer', 'call_timeout')) {
    options.timeout = Math.ceil(timeout)
  }
  const data = payload(args, kwargs)
  let request = 0
  let canceled = false
  // Not a reaction to the promise: only its caller's may be one, so that an error has the caller's stack.
  const over = input && deferred<void>()
  const asked = session.requests.ask<T, ResultMessage>(
    {
      code: CALL,
      procedure,
      message: (id) => {
        request = id
        return [CALL, id, options, procedure, data]
      },
      settle,
      part:
        onProgress &&
        (([, , details, data]) => session.heed(() => onProgress(data?.args ?? [], data?.kwargs ?? {}, details))),
      quit: (id, error) => {
        // The specification spells the feature in two ways.
        if (!session.announces('dealer', 'call_canceling') && !session.announces('dealer', 'call_cancelling'))
          return false
        // On a timeout or a failed input never use `skip`: the callee would wait for the rest of the input for ever.
        const mode = input ? 'killnowait' : WITHOUT_WAITING[cancelMode]
        const waits = cancelMode === 'kill' && WampError.is(error) && error.uri === CANCELED
        if (!canceled) session.send([CANCEL, id, { mode: waits ? cancelMode : mode }])
        canceled = true
        return waits
      },
      over: over?.resolve,
    },
    { signal, timeout },
  )
  const wanted = () => !canceled && session.requests.has(request)
  // Not if its signal had aborted before.
  if (over && wanted()) void feed(session, request, procedure, input, over.promise, wanted)
  return asked
}

/** Sends the further parts of a call until there are no more or the call is settled (Progressive Call Invocations). */
async function feed(
  session: ClientSession,
  request: Id,
  procedure: Uri,
  input: AsyncIterable<unknown> | Iterable<unknown>,
  over: Promise<void>,
  wanted: () => boolean,
): Promise<void> {
  try {
    const all = input as AsyncIterable<unknown> & Iterable<unknown>
    const iterator = all[Symbol.asyncIterator]?.() ?? all[Symbol.iterator]()
    let done: boolean | undefined
    const leave = () => {
      if (!done) session.heed(() => iterator.return?.())
    }
    void over.then(leave)
    const last = await pump(session.link, iterator, wanted, (item) => {
      session.send([CALL, request, { progress: true }, procedure, payloadOf(item)])
    })
    done = last.done
    if (wanted()) session.send([CALL, request, {}, procedure])
  } catch (error) {
    session.requests.quit(request, error)
  }
}

/** A call whose progressive results are read in a loop. */
export function progress<Part, Final>(
  begin: (options: CallOptions) => Promise<Final>,
  procedure: Uri,
  { signal, onProgress, buffer = BUFFER, ...options }: CallOptions,
  { dropped, load }: Pick<ClientSessionOwner, 'dropped' | 'load'>,
): Progress<Part, Final> {
  const stop = new AbortController()
  const parts = new Parts<Part>(load, () => {
    release()
    stop.abort()
  })
  const release = limit({ signal }, true, (error) => stop.abort(error.cause))
  const result = new Promise<Final>((resolve, reject) => {
    let error: WampError | undefined
    const hear: ProgressHandler = (args, kwargs, details) => {
      if (!error && parts.push(args[0] as Part, buffer)) return onProgress?.(args, kwargs, details)
      dropped.answers++
      error ??= overflow(buffer, `parts of the result of ${procedure}`)
      // At once, whatever the callee answers to the cancellation.
      reject(error)
      return parts.end(error)
    }
    begin({ ...options, signal: stop.signal, onProgress: hear }).then(resolve, reject)
  })
  result.then(
    () => parts.end(),
    (error) => parts.end(error),
  )
  return Object.assign(parts, { result })
}
