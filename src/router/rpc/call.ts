/** A pending call: the dealer's record of it, from its first part to its answer. Only routing.ts changes it. */

import type { CallMessage, Id, Uri } from '../../protocol/messages.ts'
import type { InvocationDetails } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import type { Decision } from '../rights/decide.ts'
import type { Deadline } from './deadline.ts'
import type { QueuePlace } from './queue.ts'
import type { CalleeEndpoint } from './registrations.ts'

/** A call is in the tables of its caller and its callee until it is settled. */
export interface Call {
  /** Its position in the order of arrival. */
  readonly order: number
  readonly caller: Destination
  readonly request: Id
  readonly procedure: Uri
  /** The URI of the registration that serves it. */
  readonly registered: Uri
  /** The decision about it (disclosure, trust level), made once. */
  readonly decision: Decision
  /** The time of its arrival, if durations are observed. */
  readonly since: number | undefined
  /** Undefined for a call without a timeout. */
  readonly deadline: Deadline<Call> | undefined
  /** Its callee; undefined while it is queued. */
  readonly endpoint: CalleeEndpoint | undefined
  readonly invocation: Id
  /** The details of each of its INVOCATIONs. */
  readonly details: InvocationDetails
  /** True if the caller has more parts to send. */
  readonly open: boolean
  /** True if it was interrupted and the callee's answer to that is pending. */
  readonly canceled: boolean
  /** True if the caller has its answer, or has left. */
  readonly settled: boolean
  /** The CALL itself, kept in the bytes that arrived while another callee could take it, or while it is queued. */
  readonly message: CallMessage | undefined
  /** True if its callee may decline it: nothing of it has been answered yet. */
  readonly declinable: boolean
  /** Bytes charged to the caller. */
  readonly weight: number
  /** The callees that declined it. */
  readonly declined: Set<Destination> | undefined
  /** Its place in a queue, while it waits for a free callee. */
  readonly waiting: QueuePlace | undefined
}
