/** Checks before a message is sent: URIs, payloads, options, functions. */

import { unsent, usage } from '../protocol/error.ts'
import { keyTypeOf } from '../protocol/keys.ts'
import { INVALID_URI } from '../protocol/names.ts'
import { FLAG, FUNCTION } from '../protocol/option-rules.ts'
import type { Dict, PassthruKeys } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { anyOf, CANCEL_MODES, isOneOf } from '../protocol/words.ts'

export function checkUri(uri: unknown, legal: boolean): void {
  if (typeof uri === 'string' && legal) return
  throw unsent(INVALID_URI, `${formatValue(uri)} is not a valid URI: it has white space, "#" or an empty component`)
}

export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) {
    throw usage(`args must be a list, such as [1, 2], got ${formatValue(args)}`)
  }
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw usage(`kwargs must be a dictionary, such as { unit: 'cm' }, got ${formatValue(kwargs)}`)
  }
}

/** Without codecs the mode was not announced, and a router would end the session. */
export function checkPassthru(options: PassthruKeys & Dict, codecs: unknown): void {
  checkOptions(options)
  const { ppt_scheme } = options
  if (ppt_scheme === undefined || codecs) return
  throw usage('ppt_scheme needs the option codecs: passthru()')
}

type OperationRule = readonly [expected: string, holds: (value: unknown) => boolean, wire?: unknown, item?: true]
/** Rules of options, by name. */
export type OperationRules = Readonly<Record<string, OperationRule>>

const OVERFLOWS = ['oldest', 'newest', 'error']

/** Options of operations that only this library has, and those of WAMP that it interprets differently. */
const OPERATION_RULES: OperationRules = {
  buffer: ['a number from 1', (value) => typeof value === 'number' && value >= 1],
  cancelMode: [anyOf(CANCEL_MODES), (value) => isOneOf(CANCEL_MODES, value)],
  input: ['an iterable', (value) => Symbol.asyncIterator in Object(value) || Symbol.iterator in Object(value)],
  onProgress: FUNCTION,
  overflow: [anyOf(OVERFLOWS), (value) => isOneOf(OVERFLOWS, value)],
  // Only `input` can send parts: nothing else would send the last one.
  progress: ['false', (value) => value === false],
  signal: ['an AbortSignal', (value) => value === null || 'aborted' in Object(value)],
  timeout: ['milliseconds, or 0 for no limit', (value) => typeof value === 'number' && value >= 0],
  waitForReady: FLAG,
  mandatory: FLAG,
}

/**
 * Checks every option that has a type: a router ends the session over a known option of a wrong type, and a handle would
 * send it again on every rejoin.
 *
 * @throws WampError `wampy.error.usage` that names the option
 */
export function checkOptions(options: object, where = '', further: OperationRules = {}): void {
  if (!isDict(options))
    throw usage(`options must be a dictionary, such as { timeout: 500 }, got ${formatValue(options)}`)
  for (const key in options) {
    const value = (options as Dict)[key]
    const rule = value === undefined ? undefined : ruleOf(key, further)
    if (!rule) continue
    const [expected, holds, , item] = rule
    for (const each of item && Array.isArray(value) ? value : [value]) {
      if (holds(item ? [each] : each)) continue
      throw usage(`the option ${key}${where} must be ${expected}, got ${formatValue(each)}`)
    }
  }
}

function ruleOf(key: string, further: OperationRules): OperationRule | undefined {
  if (Object.hasOwn(further, key)) return further[key]
  return Object.hasOwn(OPERATION_RULES, key) ? OPERATION_RULES[key] : keyTypeOf(key)
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw usage(`the ${what} must be a function, got ${formatValue(value)}`)
}
