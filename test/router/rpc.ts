/** Shared by the tests of the dealer: peers that announce everything, and messages in both directions. */

import { expect } from 'vitest'
import { ERROR, REGISTER, REGISTERED } from 'wampy-ts/testing'
import { ID, type Peer, TEXT, type World } from './support.ts'

const CALLER = {
  call_canceling: true,
  caller_identification: true,
  payload_passthru_mode: true,
  progressive_call_invocations: true,
  progressive_call_results: true,
}
const CALLEE = {
  ...CALLER,
  call_reroute: true,
  call_timeout: true,
  call_trustlevels: true,
  pattern_based_registration: true,
  registration_revocation: true,
  shared_registration: true,
}

/** A peer that announces every feature of a caller and a callee, except those named. */
export function able(world: World, ...without: string[]): Peer {
  const features = (all: object): object => ({
    features: Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name))),
  })
  return world.join(
    {},
    { roles: { caller: features(CALLER), callee: features(CALLEE), subscriber: {}, publisher: {} } },
  )
}

let requests = 1000

/** Registers a procedure and returns its id. */
export function register(peer: Peer, procedure = 'com.add', options: object = {}): number {
  const request = requests++
  const answer = peer.says([REGISTER, request, options, procedure]).at(-1)
  expect(answer).toEqual([REGISTERED, request, ID])
  return answer?.[2] as number
}

/** A list with an ERROR for a request, as `says` and `take` return it. */
export const refused = (type: number, request: number, uri: string, text = TEXT): unknown[][] => [
  [ERROR, type, request, {}, uri.includes('.') ? uri : `wamp.error.${uri}`, [text]],
]
