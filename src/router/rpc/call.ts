/** A call under way: what the dealer knows of it from its first part to its answer. Only routing.ts changes it. */

import type { CallMessage, Id, Uri } from '../../protocol/messages.ts'
import type { InvocationDetails } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import type { Decision } from '../rights/decide.ts'
import type { Deadline } from './deadline.ts'
import type { QueuePlace } from './queue.ts'
import type { Endpoint } from './registrations.ts'

/** It stands in the tables of both its ends until it is over. */
export interface Call {
  /** How many calls came before it. */
  readonly order: number
  readonly caller: Destination
  readonly request: Id
  readonly procedure: Uri
  /** Whether its caller is disclosed, and how far trusted; decided once. */
  readonly decision: Decision
  /** The time when it came, if its duration is observed. */
  readonly since: number | undefined
  /** None for a call without a timeout. */
  readonly deadline: Deadline<Call> | undefined
  /** Its callee; none while it waits in a queue. */
  readonly endpoint: Endpoint | undefined
  readonly invocation: Id
  /** The details of each of its INVOCATIONs. */
  readonly details: InvocationDetails
  /** True if the caller has more parts to send. */
  readonly open: boolean
  /** True if it was interrupted, and waits for the callee's answer to that. */
  readonly canceled: boolean
  /** True if the caller has its answer, or is gone. */
  readonly over: boolean
  /** The CALL itself, kept while it may still be re-routed or is queued. */
  readonly message: CallMessage | undefined
  /** The callees that declined it. */
  readonly declined: Set<Destination> | undefined
  /** Its place in a queue, while it waits for a callee to be free. */
  readonly waiting: QueuePlace | undefined
}
