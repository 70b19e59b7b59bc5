/** Interceptors: functions of a user around each call, publication, invocation and event of a client. */

import { RESULT } from '../../protocol/codes.ts'
import { usage } from '../../protocol/error.ts'
import type { Id, ResultMessage, Uri } from '../../protocol/messages.ts'
import type { Dict, InvocationDetails, List } from '../../protocol/options.ts'
import { formatValue } from '../../protocol/validate.ts'
import { checkPayload } from '../checks.ts'
import type { Registration } from './callee.ts'
import type { CallOptions, CallResult } from './caller.ts'
import type { Invocation } from './invocation.ts'
import type { PublishOptions } from './publisher.ts'
import type { EventDetails, Subscription } from './subscriber.ts'

/** A call before it is sent. */
export interface CallRequest {
  readonly procedure: Uri
  readonly args: List
  readonly kwargs: Dict
  /** Those of `client.call`, with `onProgress` for the progressive results; `client.progress` sets it too. */
  readonly options: CallOptions
}

/** A publication before it is sent. */
export interface PublishRequest {
  readonly topic: Uri
  readonly args: List
  readonly kwargs: Dict
  readonly options: PublishOptions
}

/** A call before its procedure runs. */
export interface InvocationRequest {
  /** The URI that was called. */
  readonly procedure: Uri
  readonly args: List
  readonly kwargs: Dict
  readonly details: InvocationDetails
  /** As the procedure receives it, with `args`, `kwargs` and `details` of the request that reaches the procedure. */
  readonly invocation: Invocation
  /** The handle: `registration.uri` is the pattern if the procedure was registered by one. */
  readonly registration: Registration
}

/** An event before its handler runs. */
export interface EventRequest {
  /** The URI that was published to. */
  readonly topic: Uri
  readonly args: List
  readonly kwargs: Dict
  readonly details: EventDetails
  /** The handle: `subscription.uri` is the pattern if the topic was subscribed by one. */
  readonly subscription: Subscription
}

/**
 * Functions around the operations of a client, for tracing, retries, tokens and tests. Each receives the request and
 * `next`, which passes a request on, the same or another one, and returns a promise of its outcome. It may be called several
 * times, or not at all. A request is not to be changed in place.
 *
 * @example
 * const token: Interceptor = {
 *   call: (request, next) => next({ ...request, kwargs: { ...request.kwargs, token: currentToken() } }),
 * }
 */
export interface Interceptor {
  /** Around a call. Returns what `next` returns, or a result such as `{ args: ['tea'] }` in its place. */
  readonly call?:
    | ((
        request: CallRequest,
        next: (request: CallRequest) => Promise<CallResult>,
      ) => Partial<CallResult> | PromiseLike<Partial<CallResult>>)
    | undefined
  /** Around a publication. Returns the publication id of an acknowledged publication, otherwise undefined. */
  readonly publish?:
    | ((
        request: PublishRequest,
        next: (request: PublishRequest) => Promise<Id | undefined>,
      ) => Id | undefined | PromiseLike<Id | undefined>)
    | undefined
  /**
   * Around a procedure. Returns what a procedure may return. `next` resolves to the return value of the procedure, which is
   * an async iterable for a generator that has not begun yet, and rejects with the error that it threw.
   */
  readonly invocation?:
    | ((request: InvocationRequest, next: (request: InvocationRequest) => Promise<unknown>) => unknown)
    | undefined
  /** Around the handler of a subscription, for each handler alone. Its return value is ignored. */
  readonly event?: ((request: EventRequest, next: (request: EventRequest) => Promise<unknown>) => unknown) | undefined
}

/** A request of a call or of a publication, as the client handles both. */
export type EitherRequest = CallRequest & PublishRequest

type Next<Request> = (request: Request) => Promise<unknown>
type Layers<Request> = Record<keyof Interceptor, (request: Request, next: Next<Request>) => unknown>

/**
 * The RESULT that an interceptor of calls passed on, or returned in its place.
 *
 * @throws WampError `wampy.error.usage` if it returned anything else
 */
export function resultOf(value: unknown): ResultMessage {
  const { args, kwargs, details = {} } = Object(value)
  if (!Array.isArray(args))
    throw usage(`an interceptor must return a result, such as { args: [] }, got ${formatValue(value)}`)
  checkPayload(args, kwargs)
  return [RESULT, 0, details, { args, kwargs }]
}

/**
 * Passes a request through the interceptors of its kind, the first one outermost, and through `last`. Anything else than a
 * request, which `next` was called with, rejects.
 */
export function through<Request extends { readonly args: List; readonly kwargs: Dict }>(
  interceptors: readonly Interceptor[],
  kind: keyof Interceptor,
  request: Request,
  last: (request: Request) => unknown,
): Promise<unknown> {
  const step =
    (layer: (given: Request) => unknown): Next<Request> =>
    (given) => {
      const run = async () => {
        const { args = null, kwargs } = Object(given)
        checkPayload(args, kwargs)
        return layer(given)
      }
      const done = run()
      // An interceptor need not wait for what `next` returns.
      done.catch(() => {})
      return done
    }
  return interceptors.reduceRight(
    (next, each) => (each[kind] ? step((given) => (each as unknown as Layers<Request>)[kind](given, next)) : next),
    step(last),
  )(request)
}
