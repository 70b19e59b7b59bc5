/** How the router says what it answers itself. */

import { CALL, ERROR, RESULT } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import type { Id } from '../../protocol/messages.ts'
import { payload } from '../../protocol/payload.ts'
import { attempt, NOTHING, type Refusal } from '../member/deliver.ts'
import type { Member } from '../member/member.ts'
import type { Answer } from '../meta/provided.ts'

/** Tells a caller what its call came to. Gives back why that cannot be said to it. */
export function sayAnswer(caller: Member, request: Id, answer: Answer | undefined): Refusal | undefined {
  return attempt(caller, [RESULT, request, NOTHING, payload(answer?.args, answer?.kwargs)])
}

/** Tells a caller how its call failed. */
export function sayFailure(caller: Member, request: Id, error: unknown): Refusal | undefined {
  const { uri, args, kwargs } = thrown(error)
  const named = Object.keys(kwargs).length > 0
  return attempt(caller, [
    ERROR,
    CALL,
    request,
    NOTHING,
    uri,
    payload(args.length > 0 ? args : undefined, named ? kwargs : undefined),
  ])
}
