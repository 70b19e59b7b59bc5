/** The features that a client announces, by role. They are constants, so that they add no code of a role to a page. */

import type { Roles } from '../../protocol/options.ts'
import type { Features } from '../../protocol/words.ts'

export const CALLER_FEATURES: Features<'caller'> = {
  call_canceling: true,
  call_timeout: true,
  caller_identification: true,
  progressive_call_invocations: true,
  progressive_call_results: true,
}

export const CALLEE_FEATURES: Features<'callee'> = {
  call_canceling: true,
  call_reroute: true,
  call_timeout: true,
  call_trustlevels: true,
  caller_identification: true,
  pattern_based_registration: true,
  progressive_call_invocations: true,
  progressive_call_results: true,
  registration_revocation: true,
  shared_registration: true,
}

export const PUBLISHER_FEATURES: Features<'publisher'> = {
  publisher_exclusion: true,
  publisher_identification: true,
  subscriber_blackwhite_listing: true,
}

export const SUBSCRIBER_FEATURES: Features<'subscriber'> = {
  pattern_based_subscription: true,
  publication_trustlevels: true,
  publisher_identification: true,
  subscription_revocation: true,
}

/** The `roles` dictionary of HELLO with all four roles of a client. A client announces only the roles that it has. */
export const DEFAULT_ROLES: Roles = {
  caller: { features: CALLER_FEATURES },
  callee: { features: CALLEE_FEATURES },
  publisher: { features: PUBLISHER_FEATURES },
  subscriber: { features: SUBSCRIBER_FEATURES },
}
