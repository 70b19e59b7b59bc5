/** Checks router options that list topics or procedures, by URI or pattern, each with a limit. */

import { usage } from '../../protocol/error.ts'
import { checkRules, type OptionRule, STRING, WHOLE } from '../../protocol/option-rules.ts'
import { isPattern } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { anyOf, isOneOf, MATCH_POLICIES, type MatchPolicy } from '../../protocol/words.ts'

const MATCH: OptionRule = [anyOf(MATCH_POLICIES), (value) => isOneOf(MATCH_POLICIES, value)]

/**
 * Checks such a list; `further` are the rules of additional options of its items.
 *
 * @throws WampError `wampy.error.usage`
 */
export function checkPatterns(
  name: string,
  thing: 'topic' | 'procedure',
  list: unknown,
  strict: boolean,
  further: Readonly<Record<string, OptionRule>> = {},
): void {
  if (!Array.isArray(list)) throw usage(`${name} must be a list of ${thing}s, got ${formatValue(list)}`)
  const seen = new Set<string>()
  for (const [i, item] of (list as unknown[]).entries()) {
    const place = `${name}[${i}]`
    if (!isDict(item)) throw usage(`${place} must be { uri, match, limit }, got ${formatValue(item)}`)
    const rules: Readonly<Record<string, OptionRule>> = { uri: STRING, match: MATCH, limit: WHOLE, ...further }
    checkRules(place, item, rules, { separator: '.' })
    const { uri, match = 'exact', limit } = item
    if (typeof uri !== 'string' || !isPattern(uri, match as MatchPolicy, strict)) {
      throw usage(`${place}.uri: ${formatValue(uri)} is not a valid ${thing} for match: ${match}`)
    }
    if (limit === undefined) throw usage(`${place}.limit must be ${WHOLE[0]}, got undefined`)
    if (seen.has(`${match} ${uri}`)) throw usage(`${place}: ${formatValue(uri)} is listed twice`)
    seen.add(`${match} ${uri}`)
  }
}
