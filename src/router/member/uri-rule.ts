/** The rule for the URIs that peers send: valid, and short enough to be compared, stored and passed on. */

import { INVALID_URI } from '../../protocol/names.ts'
import { isPattern } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { MatchPolicy } from '../../protocol/words.ts'
import type { RouterLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

export interface UriRule {
  readonly strict: boolean
  readonly limits: Pick<RouterLimits, 'uriLength'>
}

/** True if a router with this rule accepts a URI. The length comes first: nothing else reads a URI of a megabyte. */
export function isAccepted(uri: string, { strict, limits }: UriRule, match: MatchPolicy = 'exact'): boolean {
  return uri.length <= limits.uriLength && isPattern(uri, match, strict)
}

/** The refusal of a URI that is not accepted; `noun` says what it should have been: `topic`, `procedure`. */
export function refuseUri(uri: string, noun: string, rule: UriRule, match: MatchPolicy = 'exact'): Refusal | undefined {
  if (isAccepted(uri, rule, match)) return undefined
  const under = match === 'exact' ? '' : ` for match: ${match}`
  return (
    refuseLongUri(uri, noun, rule) ?? new Refusal(INVALID_URI, `${formatValue(uri)} is not a valid ${noun}${under}`)
  )
}

/** The refusal of a URI that is too long, whatever its syntax. */
export function refuseLongUri(uri: string, noun: string, { limits: { uriLength } }: UriRule): Refusal | undefined {
  if (uri.length <= uriLength) return undefined
  const text = `${formatValue(uri)} has ${uri.length} characters; a ${noun} may have at most ${uriLength}`
  return new Refusal(INVALID_URI, text)
}
