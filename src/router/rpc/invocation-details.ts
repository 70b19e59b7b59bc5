/** The details of an INVOCATION, and the check that a callee supports a call. */

import type { CallMessage } from '../../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED } from '../../protocol/names.ts'
import type { Dict, InvocationDetails } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import type { Forwarding } from '../member/forwarding.ts'
import { PASSTHRU, passthruOf } from '../member/passthru.ts'
import { NO_DETAILS, Refusal } from '../member/refusal.ts'
import { type Decision, isDisclosed } from '../rights/decide.ts'
import { type CalleeEndpoint, OWN } from './registrations.ts'

/** True if a callee supports INTERRUPT; the specification spells the feature in two ways. */
export function interruptible(callee: Destination): boolean {
  return callee.announces('callee', 'call_canceling') || callee.announces('callee', 'call_cancelling')
}

/** The refusal for a callee that lacks a feature of the call: leaving it out in silence would change the request. */
export function lacking({ progress, ppt_scheme }: CallMessage[2], callee: Destination): Refusal | undefined {
  if (progress && !takesParts(callee)) {
    return new Refusal(FEATURE_NOT_SUPPORTED, 'the callee does not take a call in parts')
  }
  if (ppt_scheme !== undefined && !callee.announces('callee', PASSTHRU)) {
    return new Refusal(FEATURE_NOT_SUPPORTED, 'the callee does not take payloads in passthru mode')
  }
  return undefined
}

function takesParts(callee: Destination): boolean {
  if (!callee.announces('callee', 'progressive_call_invocations')) return false
  return interruptible(callee) || callee.deviations.partsUninterrupted === true
}

/** The details of a call's INVOCATION, except `progress`. The call has been decided before. */
export function detailsOf(
  [, , options, procedure]: CallMessage,
  caller: Destination,
  { callee, curious, registration }: CalleeEndpoint,
  timeout: number,
  decision: Decision,
  forward: Forwarding,
): InvocationDetails {
  // The router's own procedures know their caller, whatever the disclosure.
  if (registration.id === OWN) return { procedure, caller: caller.id }
  const pattern = registration.match !== 'exact'
  // Most calls have no options and no details.
  const plain =
    !pattern && !curious && timeout === 0 && decision.disclose === 'asked' && decision.trustlevel === undefined
  if (plain && isEmpty(options)) return NO_DETAILS
  const disclosed = isDisclosed(decision, options.disclose_me === true || curious)
  const level = decision.trustlevel
  const progress = options.receive_progress === true && callee.announces('callee', 'progressive_call_results')
  return {
    ...(pattern && { procedure }),
    ...(progress && { receive_progress: true }),
    ...(timeout > 0 && { timeout }),
    ...(disclosed &&
      caller.principal && {
        caller: caller.id,
        caller_authid: caller.principal.authid,
        caller_authrole: caller.principal.authrole,
      }),
    ...(level !== undefined && { trustlevel: level }),
    ...(options.ppt_scheme !== undefined && passthruOf(options)),
    ...forward.of(options),
  }
}

function isEmpty(options: Dict): boolean {
  for (const _ in options) return false
  return true
}
