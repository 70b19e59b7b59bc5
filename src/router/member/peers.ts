/** Known libraries that deviate from their HELLO; a `strict` router takes every peer at its word. */

import type { HelloDetails, Roles } from '../../protocol/options.ts'
import { CLIENT_ROLES, type ClientRole, FEATURES, type Feature } from '../../protocol/words.ts'

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

/** The features of a peer by role: `{ caller: { call_canceling: true } }`. */
export type PeerFeatures = { readonly [R in ClientRole]?: Readonly<Record<string, true>> }

/** Features that many peers share: most of them announce the same. */
const sharedFeatures = new Map<string, PeerFeatures>()
const SHARED_SETS = 256

/**
 * The features of a peer, with those that it has without announcing them. Nothing else of its roles is kept, because
 * whatever a HELLO contains would otherwise live as long as its session.
 */
export function featuresOf(roles: Roles, { unannounced }: Deviations): PeerFeatures {
  const found: { [R in ClientRole]?: Record<string, true> } = {}
  for (const role of CLIENT_ROLES) {
    const said = roles[role]
    if (!said) continue
    const silent: readonly string[] = unannounced?.[role] ?? []
    const has = FEATURES[role].filter((feature) => said.features?.[feature] === true || silent.includes(feature))
    found[role] = Object.fromEntries(has.map((feature) => [feature, true]))
  }
  const key = JSON.stringify(found)
  const known = sharedFeatures.get(key)
  if (known) return known
  if (sharedFeatures.size < SHARED_SETS) sharedFeatures.set(key, found)
  return found
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
