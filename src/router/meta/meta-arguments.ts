/** Checks the arguments of the router's own procedures. An invalid one is refused with `invalid_argument`, which names its place. */

import { isId } from '../../protocol/ids.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { INVALID_ARGUMENT } from '../../protocol/names.ts'
import type { Dict, List } from '../../protocol/options.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { anyOf, isOneOf, MATCH_POLICIES, type MatchPolicy } from '../../protocol/words.ts'
import { Refusal } from '../member/refusal.ts'
import { refuseUri, type UriRule } from '../member/uri-rule.ts'

/** An argument and its place. */
type ArgumentCheck<Wanted> = (value: unknown, place: string) => Wanted

export function wrongArgument(place: string, claim: string, value: unknown): Refusal {
  return new Refusal(INVALID_ARGUMENT, `${place} must be ${claim}, got ${formatValue(value)}`)
}

function argumentCheck<Wanted>(claim: string, holds: (value: unknown) => boolean): ArgumentCheck<Wanted> {
  return (value, place) => {
    if (holds(value)) return value as Wanted
    throw wrongArgument(place, claim, value)
  }
}

export const anId = argumentCheck<Id>('an id', isId)
export const aText = argumentCheck<string>('text', (value) => typeof value === 'string')
export const aFlag = argumentCheck<boolean>('true or false', (value) => typeof value === 'boolean')
export const aList = argumentCheck<List>('a list', Array.isArray)
export const aDict = argumentCheck<Dict>('a dictionary', isDict)
export const aLimit = argumentCheck<number>(
  'a whole number from 1',
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
)
export const texts = argumentCheck<readonly string[]>(
  'a list of texts',
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
)
export const aPolicy = argumentCheck<MatchPolicy>(anyOf(MATCH_POLICIES), (value) => isOneOf(MATCH_POLICIES, value))

// RFC 3339, section 5.6.
const RFC3339 = /^(\d{4}-\d\d-\d\d)T(?!24)\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** A time in milliseconds since 1970. */
export const aTime: ArgumentCheck<number> = (value, place) => {
  const text = typeof value === 'string' ? value.toUpperCase() : ''
  const [, day] = RFC3339.exec(text) ?? []
  const time = day && isDay(day) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw wrongArgument(place, 'a time in the format of RFC 3339', value)
}

/** `Date.parse` turns 30 February into 2 March. */
function isDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
}

/** An optional argument; null, which languages with named parameters send, counts as absent. */
export function optionalArgument<Wanted>(of: ArgumentCheck<Wanted>, value: unknown, place: string): Wanted | undefined {
  return value === undefined || value === null ? undefined : of(value, place)
}

/** A URI, not a pattern. */
export function aUri(value: unknown, place: string, rule: UriRule): Uri {
  const uri = aText(value, place)
  const refusal = refuseUri(uri, 'URI', rule)
  if (!refusal) return uri
  throw new Refusal(refusal.uri, `${place}: ${refusal.text}`)
}

/** Text that is sent to other sessions, at most as long as a URI. */
export function aShortText(value: unknown, place: string, { limits: { uriLength } }: UriRule): string {
  const text = aText(value, place)
  if (text.length <= uriLength) return text
  throw wrongArgument(place, `text of at most ${uriLength} characters`, text)
}
