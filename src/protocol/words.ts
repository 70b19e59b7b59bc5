/** The closed sets of WAMP: policies, modes, roles and features. Types, checks, texts and tests derive from these lists. */

/** How a URI is compared with the pattern of a subscription or registration. */
export const MATCH_POLICIES = ['exact', 'prefix', 'wildcard'] as const
export type MatchPolicy = (typeof MATCH_POLICIES)[number]

/** How the dealer chooses the callee of a shared registration. */
export const INVOKE_POLICIES = ['single', 'roundrobin', 'random', 'first', 'last'] as const
export type InvokePolicy = (typeof INVOKE_POLICIES)[number]

/** The effect of CANCEL on the callee, and whether the caller waits for it. */
export const CANCEL_MODES = ['skip', 'kill', 'killnowait'] as const
export type CancelMode = (typeof CANCEL_MODES)[number]

/**
 * When receivers learn the identity of a publisher or caller: if `disclose_me` asks for it, `always`, or `never`; then
 * a `disclose_me` is refused.
 */
export const DISCLOSURES = ['asked', 'always', 'never'] as const
export type Disclosure = (typeof DISCLOSURES)[number]

export const TESTAMENT_SCOPES = ['destroyed', 'detached'] as const
/**
 * When a testament is published: when its session is destroyed, or when it is detached from its connection. In a router
 * that does not resume sessions, such as ours, both happen together; `detached` testaments come first.
 */
export type TestamentScope = (typeof TESTAMENT_SCOPES)[number]

export const CLIENT_ROLES = ['caller', 'callee', 'publisher', 'subscriber'] as const
export type ClientRole = (typeof CLIENT_ROLES)[number]

export const ROUTER_ROLES = ['broker', 'dealer'] as const
export type RouterRole = (typeof ROUTER_ROLES)[number]

/** True if a value belongs to a closed set. */
export function isOneOf<Word extends string>(words: readonly Word[], value: unknown): value is Word {
  return words.includes(value as Word)
}

/** Formats a closed set for a sentence: `exact, prefix or wildcard`. */
export function anyOf(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1')
}

/** The features that this library announces or looks for, by role. Announcing any other does not compile. */
export const FEATURES = {
  caller: [
    'call_canceling',
    'call_timeout',
    'caller_identification',
    'payload_passthru_mode',
    'progressive_call_invocations',
    'progressive_call_results',
  ],
  callee: [
    'call_canceling',
    // The specification uses both spellings; only the first is announced.
    'call_cancelling',
    'call_reroute',
    'call_timeout',
    'call_trustlevels',
    'caller_identification',
    'pattern_based_registration',
    'payload_passthru_mode',
    'progressive_call_invocations',
    'progressive_call_results',
    'registration_revocation',
    'shared_registration',
  ],
  publisher: [
    'payload_passthru_mode',
    'publisher_exclusion',
    'publisher_identification',
    'subscriber_blackwhite_listing',
  ],
  subscriber: [
    'pattern_based_subscription',
    'payload_passthru_mode',
    'publication_trustlevels',
    'publisher_identification',
    'subscription_revocation',
  ],
  broker: [
    'event_history',
    'event_retention',
    'pattern_based_subscription',
    'payload_passthru_mode',
    'publication_trustlevels',
    'publisher_exclusion',
    'publisher_identification',
    'session_meta_api',
    'subscriber_blackwhite_listing',
    'subscription_meta_api',
    'subscription_revocation',
  ],
  dealer: [
    'call_canceling',
    'call_cancelling',
    'call_reroute',
    'call_timeout',
    'call_trustlevels',
    'caller_identification',
    'pattern_based_registration',
    'payload_passthru_mode',
    'progressive_call_invocations',
    'progressive_call_results',
    'registration_meta_api',
    'registration_revocation',
    'session_meta_api',
    'shared_registration',
    'testament_meta_api',
  ],
} as const satisfies Record<ClientRole | RouterRole, readonly string[]>

/** The feature for payloads that only their two ends can read. */
export const PASSTHRU = 'payload_passthru_mode' satisfies Feature<ClientRole | RouterRole>

/** The name of a feature of a role. */
export type Feature<R extends ClientRole | RouterRole> = (typeof FEATURES)[R][number]
/** The features that a role announces: `{ call_canceling: true }`. */
export type Features<R extends ClientRole | RouterRole> = { readonly [F in Feature<R>]?: true }
