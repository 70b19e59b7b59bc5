/** What the tests of the dealer share: peers that announce everything, and what they say and hear. */

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

/** A peer that announces every feature of a caller and a callee, but for some. */
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

/** Registers a procedure and gives back its id. */
export function register(peer: Peer, procedure = 'com.add', options: object = {}): number {
  const request = requests++
  const answer = peer.says([REGISTER, request, options, procedure]).at(-1)
  expect(answer).toEqual([REGISTERED, request, ID])
  return answer?.[2] as number
}

/** An ERROR for a request, in a list: what `says` and `take` give back. */
export const refused = (type: number, request: number, uri: string, text = TEXT): unknown[][] => [
  [ERROR, type, request, {}, uri.includes('.') ? uri : `wamp.error.${uri}`, [text]],
]
