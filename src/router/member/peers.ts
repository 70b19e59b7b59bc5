/** What is known of libraries that do other than they say; a router that is `strict` takes every peer at its word. */

import type { HelloDetails, Roles } from '../../protocol/options.ts'
import type { ClientRole, Feature } from '../../protocol/words.ts'

/** Where a peer differs from its HELLO, or from the protocol. */
export interface Deviations {
  /** Features that it has and does not announce, by role. */
  readonly unannounced?: { readonly [R in ClientRole]?: readonly Feature<R>[] }
  /** Takes a call in parts, though it cannot be interrupted. */
  readonly partsUninterrupted?: true
  /** Forgets a call as it cancels it, but in mode kill, and hangs up on the ERROR that it would be told. */
  readonly forgetsCanceled?: true
}

interface Known extends Deviations {
  is(details: HelloDetails): boolean
}

/** A row may ease what a peer gets by itself, never what other peers can rely on. */
const KNOWN: readonly Known[] = [
  {
    // wampy.js, 8.0.2 among its releases: its documentation promises all of this, its HELLO none of it. Its callee would
    // end the session on an INTERRUPT; what it still answers when its caller is gone is dropped.
    is: ({ agent }) => agent?.startsWith('Wampy.js ') === true,
    unannounced: {
      caller: ['progressive_call_invocations'],
      callee: ['progressive_call_invocations', 'progressive_call_results'],
    },
    partsUninterrupted: true,
  },
  {
    // autobahn-js since 18.8, 26.3.1 among its releases, which names no agent: it is known by what it announces, which
    // has not changed since it cancels.
    is: ({ agent, roles }) => agent === undefined && areExactly(roles, AUTOBAHN_JS),
    forgetsCanceled: true,
  },
]

const AUTOBAHN_JS: { readonly [R in ClientRole]: readonly Feature<R>[] } = {
  caller: ['caller_identification', 'call_canceling', 'progressive_call_results'],
  callee: [
    'caller_identification',
    'pattern_based_registration',
    'progressive_call_results',
    'registration_revocation',
    'shared_registration',
  ],
  publisher: ['publisher_exclusion', 'publisher_identification', 'subscriber_blackwhite_listing'],
  subscriber: ['pattern_based_subscription', 'publisher_identification', 'subscription_revocation'],
}

export const NO_DEVIATIONS: Deviations = Object.freeze({})

/** Where a peer is known to differ, by its HELLO. */
export function deviationsOf(details: HelloDetails): Deviations {
  return KNOWN.find((known) => known.is(details)) ?? NO_DEVIATIONS
}

/** The roles of a peer with the features that it has all the same. */
export function playing(roles: Roles, { unannounced }: Deviations): Roles {
  if (!unannounced) return roles
  const all: Record<string, Roles[string]> = { ...roles }
  for (const [role, features] of Object.entries(unannounced)) {
    const said = all[role]
    if (said) all[role] = { features: { ...said.features, ...Object.fromEntries(features.map((it) => [it, true])) } }
  }
  return all
}

function areExactly(roles: Roles, expected: typeof AUTOBAHN_JS): boolean {
  return (
    Object.keys(roles).length === Object.keys(expected).length &&
    Object.entries(expected).every(([role, features]) => {
      const said = roles[role]?.features ?? {}
      return Object.keys(said).length === features.length && features.every((feature) => said[feature] === true)
    })
  )
}
