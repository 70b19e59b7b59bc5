/** The caller: CALL, and RESULT as the first result or as all of it. */

import { CALL, RESULT } from '../protocol/codes.ts'
import type { Result as ResultMessage, Uri } from '../protocol/messages.ts'
import type { Dict, List, ResultDetails, CallOptions as WireOptions } from '../protocol/options.ts'
import { payload } from '../protocol/payload.ts'
import type { ClientSession } from './client-session.ts'
import type { Role } from './role.ts'
import type { Waiting } from './waiting.ts'

/** Options of a call: ours, and any key of CALL.Options as WAMP spells it. */
export interface CallOptions extends Waiting, Omit<WireOptions, 'timeout'> {
  /** Waits for the session, where there is none now, instead of failing at once. */
  readonly waitForReady?: boolean
}

/** All that a procedure returned. */
export interface CallResult {
  readonly args: List
  readonly kwargs: Dict
  readonly details: ResultDetails
}

export const caller: Role = {
  name: 'caller',
  features: {},
  handlers: {
    [RESULT]: (message, session) => {
      if (!session.requests.settle(CALL, message[1], message)) session.dropped.answers++
    },
  },
}

/** The first positional result; undefined where there is none. */
export const first = ([, , , data]: ResultMessage): unknown => data?.args?.[0]

/** Everything that came. */
export const whole = ([, , details, data]: ResultMessage): CallResult => ({
  args: data?.args ?? [],
  kwargs: data?.kwargs ?? {},
  details,
})

export function call<T>(
  session: ClientSession,
  settle: (result: ResultMessage) => T,
  procedure: Uri,
  args: List | undefined,
  kwargs: Dict | undefined,
  { signal, timeout, waitForReady: _, ...options }: CallOptions,
): Promise<T> {
  const data = payload(args, kwargs)
  return session.requests.ask<T, ResultMessage>(
    { code: CALL, message: (id) => [CALL, id, options as WireOptions, procedure, data], settle },
    { signal, timeout },
  )
}
