/** A call, and a call with progressive results, as stores. */

import type { Client } from '../client/client.ts'
import type { CallKeys, CallOptions, Progress, ProgressHandler } from '../client/roles/caller.ts'
import { uriOf } from '../client/service/proxy.ts'
import { thrown, type WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { checkRules, WHOLE } from '../protocol/option-rules.ts'
import type { CancelMode, Dict, List } from '../protocol/options.ts'
import { fixed, type Live, live } from './live.ts'
import { Recent } from './recent.ts'
import { isNotRunning, whileStarted } from './while-started.ts'

/** A procedure by its URI, or as a property of `client.rpc` or `client.stream`. */
// biome-ignore lint/suspicious/noExplicitAny: a procedure may take and return anything
export type ProcedureRef = Uri | ((...args: any[]) => unknown)

/** The URI of a procedure. */
export const procedureUri = (procedure: ProcedureRef): Uri =>
  typeof procedure === 'string' ? procedure : uriOf(procedure)

/** Options of a live call: those of a call in WAMP's spelling, and these. */
export interface LiveCallOptions extends CallKeys {
  readonly kwargs?: Dict | undefined
  /** Milliseconds for a session and the answer. Default 0: no limit. */
  readonly timeout?: number | undefined
  /** The effect of an abandoned call at the other end, as in `client.call`. */
  readonly cancelMode?: CancelMode | undefined
}

/**
 * `idle` without arguments; `pending` until the answer, also while the client is not ready; `success`, or `error`. With a
 * second call under way (`pending`), and after it failed, `data` is still that of the first.
 */
export type CallStatus = 'idle' | 'pending' | 'success' | 'error'

/** A call at one moment; `refetch` calls again, and a call that is under way is canceled. */
export type CallState<T> =
  | { readonly status: 'idle'; readonly data: undefined; readonly error: undefined; readonly refetch: () => void }
  | {
      readonly status: 'pending'
      readonly data: T | undefined
      readonly error: undefined
      readonly refetch: () => void
    }
  | { readonly status: 'success'; readonly data: T; readonly error: undefined; readonly refetch: () => void }
  | { readonly status: 'error'; readonly data: T | undefined; readonly error: WampError; readonly refetch: () => void }

interface AnyState {
  readonly status: string
  readonly error: WampError | undefined
}

/** Calls until the returned function is called, which cancels the call. */
function calling<T>(
  client: Client,
  procedure: Uri,
  args: List,
  { kwargs, ...options }: LiveCallOptions,
  hooks: {
    begin(): void
    part?: ProgressHandler
    done(result: T): void
    failed(error: WampError): void
  },
): () => void {
  return whileStarted(client, async (signal) => {
    hooks.begin()
    const { part } = hooks
    // With the cancel mode `kill` parts follow a cancellation.
    const onProgress = part && ((...given: Parameters<ProgressHandler>) => signal.aborted || part(...given))
    const all: CallOptions = { timeout: 0, ...options, waitForReady: true, signal, onProgress }
    try {
      const result = await client.call<T>(procedure, args, kwargs, all)
      if (!signal.aborted) hooks.done(result)
    } catch (caught) {
      const error = thrown(caught)
      if (isNotRunning(error)) return error
      if (!signal.aborted) hooks.failed(error)
    }
    return undefined
  })
}

/** A call without arguments (null) is idle. It is made once, and again by `refetch`. */
export function liveCall<Args extends List, T>(
  client: Client,
  procedure: (...args: Args) => Promise<T>,
  args: Readonly<Args> | null,
  options?: LiveCallOptions,
): Live<CallState<T>>
export function liveCall<T = unknown>(
  client: Client,
  procedure: Uri,
  args: List | null,
  options?: LiveCallOptions,
): Live<CallState<T>>
export function liveCall<T>(
  client: Client,
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: any,
  options: LiveCallOptions = {},
): Live<CallState<T>> {
  let refetch = () => {}
  const again = { refetch: () => refetch() }
  if (args === null) return fixed<CallState<T>>({ status: 'idle', data: undefined, error: undefined, ...again })
  const first: CallState<T> = { status: 'pending', data: undefined, error: undefined, ...again }
  return live<AnyState>(first, (set) => {
    const begin = () =>
      calling<T>(client, procedureUri(procedure), args, options, {
        begin: () => set({ status: 'pending', error: undefined }),
        done: (data) => set({ status: 'success', data } as Partial<AnyState>),
        failed: (error) => set({ status: 'error', error }),
      })
    let end = begin()
    refetch = () => {
      end()
      end = begin()
    }
    return () => {
      refetch = () => {}
      end()
    }
  }) as Live<CallState<T>>
}

/**
 * `idle` without arguments; `pending` until the first part; `active`; `done` with the final result, `canceled` by
 * `cancel`, or `error`.
 */
export type StreamStatus = 'idle' | 'pending' | 'active' | 'done' | 'canceled' | 'error'

/** A call with progressive results at one moment. */
export interface StreamState<Part, Final> {
  readonly status: StreamStatus
  /** The last parts, oldest first. */
  readonly parts: readonly Part[]
  readonly latest: Part | undefined
  /** The final result, when `done`. */
  readonly result: Final | undefined
  readonly error: WampError | undefined
  /** Cancels the call; the parts stay. */
  readonly cancel: () => void
  /** Forgets the parts and calls again; a call that is under way is canceled. */
  readonly restart: () => void
}

export interface LiveStreamOptions<Part> extends LiveCallOptions {
  /** The number of parts that are kept. Default 100. */
  readonly limit?: number | undefined
  /** Receives every part. */
  readonly onPart?: ((part: Part) => void) | undefined
}

/**
 * The last progressive results of a call. Fast ones make one snapshot together: to react to every one, use `onPart`.
 *
 * @throws WampError `wampy.error.usage` for a limit that is not a whole number from 1
 */
export function liveStream<Args extends List, Part, Final>(
  client: Client,
  procedure: (...args: Args) => Progress<Part, Final>,
  args: Readonly<Args> | null,
  options?: LiveStreamOptions<Part>,
): Live<StreamState<Part, Final>>
export function liveStream<Part = unknown, Final = unknown>(
  client: Client,
  procedure: Uri,
  args: List | null,
  options?: LiveStreamOptions<Part>,
): Live<StreamState<Part, Final>>
export function liveStream<Part, Final>(
  client: Client,
  procedure: ProcedureRef,
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with those of the overloads
  args: any,
  { limit = 100, onPart, ...options }: LiveStreamOptions<Part> = {},
): Live<StreamState<Part, Final>> {
  checkRules('stream', { limit }, { limit: WHOLE })
  let cancel = () => {}
  let restart = () => {}
  const none = { parts: [], latest: undefined, result: undefined, error: undefined }
  const first: StreamState<Part, Final> = {
    status: args === null ? 'idle' : 'pending',
    ...none,
    cancel: () => cancel(),
    restart: () => restart(),
  }
  if (args === null) return fixed(first)
  const made = live(first, (set) => {
    const shown = () => ({ parts: recent.list, latest: recent.list.at(-1) })
    const recent = new Recent<Part>(limit, () => set({ status: 'active', ...shown() }))
    const begin = () =>
      calling<Final>(client, procedureUri(procedure), args, options, {
        begin() {
          recent.clear()
          set({ status: 'pending', ...none })
        },
        part([part]) {
          recent.add(part as Part)
          onPart?.(part as Part)
        },
        done(result) {
          recent.hush()
          set({ status: 'done', ...shown(), result })
        },
        failed(error) {
          recent.hush()
          set({ status: 'error', ...shown(), error })
        },
      })
    let end = begin()
    const stop = () => {
      end()
      recent.hush()
    }
    cancel = () => {
      if (!['pending', 'active'].includes(made.get().status)) return
      stop()
      set({ status: 'canceled', ...shown() })
    }
    restart = () => {
      stop()
      end = begin()
    }
    return () => {
      cancel = restart = () => {}
      stop()
    }
  })
  return made
}
