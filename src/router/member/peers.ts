/** Known libraries that deviate from their HELLO; a `strict` router takes every peer at its word. */

import type { HelloDetails, Roles } from '../../protocol/options.ts'
import type { ClientRole, Feature } from '../../protocol/words.ts'

/** Deviations of a peer from its HELLO or from the protocol. */
export interface Deviations {
  /** Features that it has but does not announce, by role. */
  readonly unannounced?: { readonly [R in ClientRole]?: readonly Feature<R>[] }
  /** Accepts a call in parts although it cannot be interrupted. */
  readonly partsUninterrupted?: true
  /** Forgets a call when it cancels it (except in mode kill), and disconnects on the ERROR that follows. */
  readonly forgetsCanceled?: true
}

interface Known extends Deviations {
  is(details: HelloDetails): boolean
}

/** A row may relax what concerns the peer itself, never what other peers rely on. */
const KNOWN: readonly Known[] = [
  {
    // wampy.js up to at least 8.0.2: its documentation promises all of this, its HELLO none of it. Its callee would end
    // the session on an INTERRUPT; answers for callers that have left are dropped.
    is: ({ agent }) => agent?.startsWith('Wampy.js ') === true,
    unannounced: {
      caller: ['progressive_call_invocations'],
      callee: ['progressive_call_invocations', 'progressive_call_results'],
    },
    partsUninterrupted: true,
  },
  {
    // autobahn-js from 18.8 to at least 26.3.1. It names no agent, so it is recognised by the features it announces,
    // which have not changed since it supports cancellation.
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

/** The known deviations of a peer, found by its HELLO. */
export function deviationsOf(details: HelloDetails): Deviations {
  return KNOWN.find((known) => known.is(details)) ?? NO_DEVIATIONS
}

/** The roles of a peer, with the features that it has without announcing them. */
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
