/** The options of classes and functions: what each must be, and what to write in place of a name that is none of them. */

import { usage } from './error.ts'
import { formatValue, isDict } from './validate.ts'

/** The type that a value has in every serializer. */
export type WireType = 'boolean' | 'number' | 'string' | 'list' | 'dict'

/**
 * What an option must be: as an error says it, and whether a value is that; with `each`, whether an item of it is, which
 * is a list that is not empty. `holds` may throw an error that says more.
 */
export type OptionRule = readonly [expected: string, holds: (value: unknown) => boolean, kind?: 'each' | WireType]

/** A rule for each option. One that is missing, or one too many, does not compile. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule }

export const isText = (value: unknown) => typeof value === 'string'
export const FLAG = [
  'true or false',
  (value: unknown): value is boolean => typeof value === 'boolean',
  'boolean',
] as const satisfies OptionRule
export const STRING = ['text', isText, 'string'] as const satisfies OptionRule
export const FUNCTION: OptionRule = ['a function', (value) => typeof value === 'function']
export const ANY_OBJECT: OptionRule = ['an object', (value) => typeof value === 'object' && value !== null]
/** Milliseconds. What 0 means is for each option to say; what is too long for a timer of the platform is as good as never. */
export const DURATION: OptionRule = [
  'milliseconds: 0, or a number from 1',
  (value) => typeof value === 'number' && (value === 0 || value >= 1),
]
/** So many things or bytes at most. */
export const LIMIT: OptionRule = ['a number above 0', (value) => typeof value === 'number' && value > 0]
export const WHOLE: OptionRule = ['a whole number from 1', (value) => Number.isSafeInteger(value) && Number(value) > 0]

/** A count that may be 0. */
export const COUNT: OptionRule = ['a number from 0', (value) => typeof value === 'number' && value >= 0]
export const PORT: OptionRule = [
  'a number of a port',
  (value) => (typeof value === 'number' || typeof value === 'string') && /^\d+$/.test(String(value)),
]
export const SERIALIZERS: OptionRule = [
  'a list of serializers, such as [json]',
  (value) => isDict(value) && typeof value['name'] === 'string' && typeof value['encode'] === 'function',
  'each',
]

export interface Report {
  /** Options as they might be, for whoever gave something else. Default: the first one. */
  readonly example?: string
  /** Between what has the options and the name of one, in errors. */
  readonly separator?: string
  /** What to write in place of options of other libraries, by name. */
  readonly instead?: Readonly<Record<string, string>>
  /** For whoever gave an unknown option. */
  readonly advice?: string
}

/**
 * Checks options; undefined is as good as absent.
 *
 * @throws WampError `wampy.error.usage` that names the option, and the nearest one there is
 */
export function checkRules<Options>(
  of: string,
  options: unknown,
  rules: OptionRules<Options>,
  { example, separator = ': ', instead = {}, advice = '' }: Report = {},
): void {
  const known: Readonly<Record<string, OptionRule>> = rules
  const names = Object.keys(known)
  if (!isDict(options)) {
    // Text is likely to be a URL, which may hold a secret.
    const found = typeof options === 'string' ? 'text' : formatValue(options)
    throw usage(`${of} takes options, such as { ${example ?? `${names[0]}: ...`} }, got ${found}`)
  }
  for (const name in options) {
    const value = options[name]
    if (value === undefined) continue
    if (!Object.hasOwn(known, name)) {
      const better = Object.hasOwn(instead, name) ? instead[name] : undefined
      throw usage(unknownOption(of, name, names, better) + advice)
    }
    const [expected, holds, kind] = known[name] as OptionRule
    const each = kind === 'each'
    const full = Array.isArray(value) && value.length > 0
    for (const item of each && full ? (value as unknown[]) : [value]) {
      if ((full || !each) && holds(item)) continue
      const shown = Array.isArray(item) && !item.length ? 'an empty list' : formatValue(item)
      throw usage(`${of}${separator}${name} must be ${expected}, got ${shown}`)
    }
  }
}

/** Options that are the value of another one, which `place` names. */
export function dictOf<Options>(place: string, rules: OptionRules<Options>): OptionRule {
  return [
    `options such as { ${Object.keys(rules)[0]}: ... }`,
    (value) => {
      if (!isDict(value)) return false
      checkRules(place, value, rules, { separator: '.' })
      return true
    },
  ]
}

function unknownOption(of: string, name: string, known: readonly string[], instead: string | undefined): string {
  const nearest = nearestName(name, known)
  const better = instead ?? (nearest && `did you mean ${nearest}?`)
  return `${of} has no option ${formatValue(name)}${better ? `: ${better}` : `, but ${known.join(', ')}`}`
}

/** The name that a typo may stand for. */
export function nearestName(typo: string, names: readonly string[]): string | undefined {
  const nearest = names.reduce((best, each) => (unlike(each, typo) < unlike(best, typo) ? each : best))
  return unlike(nearest, typo) <= Math.max(4, typo.length / 2) ? nearest : undefined
}

/** The pairs of letters that only one of two words has, and how much longer one is. Enough for a typo. */
function unlike(one: string, other: string): number {
  const missing = (from: string, within: string) =>
    [...from].filter((_, at) => !within.includes(from.slice(at, at + 2))).length
  return missing(one, other) + missing(other, one) + Math.abs(one.length - other.length)
}
