/** A call under way: what the dealer knows of it from its first part to its answer. */

import type { Call as CallMessage, Id, Uri } from '../../protocol/messages.ts'
import type { InvocationDetails } from '../../protocol/options.ts'
import { NOTHING } from '../member/deliver.ts'
import type { Member } from '../member/member.ts'
import type { Timed } from './deadlines.ts'
import type { Endpoint, Registration } from './registrations.ts'

/** It stands in the tables of both its ends until it is over. */
export interface Call extends Timed {
  /** How many calls came before it. */
  readonly order: number
  readonly caller: Member
  readonly request: Id
  readonly procedure: Uri
  /** Who has it now; nobody where it waits, or the router serves it itself. */
  endpoint: Endpoint | undefined
  invocation: Id
  /** What every INVOCATION of it says. */
  details: InvocationDetails
  /** Whether the caller has said that there is more to come. */
  open: boolean
  /** It was interrupted, and waits for what its callee says to that. */
  canceled: boolean
  /** The caller has its answer, or is gone. */
  over: boolean
  /** To say it all to another callee, as long as nothing of it was answered and it can be declined, or while it waits. */
  message: CallMessage | undefined
  declined: Set<Member> | undefined
  /** Of which it waits for a callee to be free, with the parts that came meanwhile, and what all that costs to keep. */
  waits: Registration | undefined
  parts: CallMessage[] | undefined
  weight: number
}

export function callOf([, request, options, procedure]: CallMessage, caller: Member, order: number): Call {
  return {
    order,
    caller,
    request,
    procedure,
    endpoint: undefined,
    invocation: 0,
    details: NOTHING,
    open: options.progress === true,
    canceled: false,
    over: false,
    message: undefined,
    declined: undefined,
    waits: undefined,
    parts: undefined,
    weight: 0,
    // What is greater, be it a bigint of a binary format, is told to a callee no better.
    timeout: Math.min(Number(options.timeout ?? 0), Number.MAX_SAFE_INTEGER),
    began: undefined,
    rest: 0,
    timer: undefined,
  }
}
