/** The features in WELCOME: each is announced exactly where it works. */

import { expect, test } from 'vitest'
import { HELLO } from 'wampy-ts/testing'
import { FEATURES } from '../../src/protocol/words.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import { open, ROLES } from './support.ts'

const BROKER = [
  'event_retention',
  'pattern_based_subscription',
  'payload_passthru_mode',
  'publication_trustlevels',
  'publisher_exclusion',
  'publisher_identification',
  'subscriber_blackwhite_listing',
  'subscription_revocation',
]
const DEALER = [
  'call_canceling',
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
]
const HISTORY = [{ uri: 'com.topic', limit: 1 }]

interface Welcomed {
  readonly roles: Record<string, { features: Record<string, boolean> }>
}

function announced(options: RouterOptions): Record<string, string[]> {
  const [[, , { roles }]] = open(options)
    .connect()
    .says([HELLO, 'realm1', { roles: ROLES }]) as [[number, number, Welcomed]]
  expect(Object.values(roles).flatMap(({ features }) => Object.values(features))).not.toContain(false)
  return Object.fromEntries(Object.entries(roles).map(([role, { features }]) => [role, Object.keys(features).sort()]))
}

test('a router with both roles announces all features, including the meta APIs', () => {
  expect(announced({})).toEqual({
    broker: [...BROKER, 'session_meta_api', 'subscription_meta_api'].sort(),
    dealer: [...DEALER, 'registration_meta_api', 'session_meta_api', 'testament_meta_api'].sort(),
  })
})

test('every feature that is listed for a role of a router is announced', () => {
  const { call_cancelling, ...dealer } = Object.fromEntries(FEATURES.dealer.map((feature) => [feature, true]))
  expect(call_cancelling, 'the other spelling of call_canceling').toBe(true)
  expect(announced({ history: HISTORY })).toEqual({
    broker: [...FEATURES.broker].sort(),
    dealer: Object.keys(dealer).sort(),
  })
})

test('event_history is announced if the history option has entries', () => {
  expect(announced({ history: HISTORY })['broker']).toContain('event_history')
})

test('a router with one role announces no feature that needs the other role', () => {
  expect(announced({ roles: ['broker'], history: HISTORY })).toEqual({ broker: BROKER })
  expect(announced({ roles: ['dealer'] })).toEqual({ dealer: DEALER })
})
