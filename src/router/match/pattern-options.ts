/** Checks the options of a router that list topics or procedures, by URI or by pattern, with a bound for each. */

import { isPattern } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { anyOf, isOneOf, MATCH_POLICIES } from '../../protocol/words.ts'

/** What is wrong with such a list, if anything is. `further` looks at the keys that are its own. */
export function wrongRules(
  name: string,
  thing: 'topic' | 'procedure',
  rules: unknown,
  strict: boolean,
  further: Readonly<Record<string, (value: unknown) => string | undefined>> = {},
): string | undefined {
  if (!Array.isArray(rules)) return `${name} must be a list of ${thing}s, got ${formatValue(rules)}`
  const keys = ['uri', 'match', 'limit', ...Object.keys(further)]
  const seen = new Set<string>()
  for (const [i, rule] of (rules as unknown[]).entries()) {
    const place = `${name}[${i}]`
    if (!isDict(rule)) return `${place} must be { uri, match, limit }, got ${formatValue(rule)}`
    for (const key in rule) {
      if (!keys.includes(key)) return `${place} has no ${formatValue(key)}, but ${keys.join(', ')}`
    }
    const { uri, match = 'exact', limit } = rule
    if (!isOneOf(MATCH_POLICIES, match)) {
      return `${place}.match must be ${anyOf(MATCH_POLICIES)}, got ${formatValue(match)}`
    }
    if (typeof uri !== 'string' || !isPattern(uri, match, strict)) {
      return `${place}.uri: ${formatValue(uri)} is no ${thing} to match ${match}`
    }
    if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
      return `${place}.limit must be a whole number from 1, got ${formatValue(limit)}`
    }
    for (const [key, wrong] of Object.entries(further)) {
      const claim = rule[key] === undefined ? undefined : wrong(rule[key])
      if (claim) return `${place}.${key} must be ${claim}, got ${formatValue(rule[key])}`
    }
    if (seen.has(`${match} ${uri}`)) return `${place}: ${formatValue(uri)} is there twice`
    seen.add(`${match} ${uri}`)
  }
  return undefined
}
