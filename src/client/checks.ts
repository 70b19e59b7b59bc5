/** What is checked before anything is sent: URIs, payloads, options, functions. */

import { unsent, usage } from '../protocol/error.ts'
import { isId } from '../protocol/ids.ts'
import { INVALID_URI } from '../protocol/names.ts'
import type { Dict, PassthruKeys } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'

export function checkUri(uri: unknown, legal: boolean): void {
  if (typeof uri === 'string' && legal) return
  throw unsent(INVALID_URI, `${formatValue(uri)} is no URI: it has white space, "#" or an empty component`)
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

const oneOf = (words: string) => (value: unknown) => words.split(' ').includes(value as string)

/** What a known option may be, or each item of it where it is a list of WAMP's. */
const RULES: readonly (readonly [key: RegExp, holds: (value: unknown) => boolean, list?: boolean])[] = [
  [
    /^(acknowledge|retain|get_retained|receive_progress|exclude_me|disclose_(me|caller)|force_reregister|forward_timeout)$/,
    (value) => typeof value === 'boolean',
  ],
  [/^timeout$/, (value) => (value as number) >= 0],
  [/^cancelMode$/, oneOf('skip kill killnowait')],
  // Which only `input` can say: nothing else would say the end.
  [/^progress$/, (value) => value === false],
  [/^match$/, oneOf('exact prefix wildcard')],
  [/^invoke$/, oneOf('single roundrobin random first last')],
  [/^concurrency$/, (value) => Number.isInteger(value) && (value as number) >= 0],
  [/^buffer$/, (value) => (value as number) >= 1],
  [/^overflow$/, oneOf('oldest newest error')],
  [/^(exclude|eligible)$/, isId, true],
  [/^(exclude|eligible)_auth(id|role)$/, (value) => typeof value === 'string', true],
]

/**
 * A router ends the session over a known option of a wrong type, and a wish would bring it along on every rejoin.
 *
 * @throws WampError `wampy.error.usage`
 */
export function checkOptions(options: Dict): void {
  for (const key in options) {
    const value = options[key]
    const [, holds, list] = (value !== undefined && RULES.find(([known]) => known.test(key))) || []
    const items: readonly unknown[] = list && Array.isArray(value) ? value : [value]
    const wrong = items.findIndex((item) => holds?.(item) === false)
    if (wrong < 0) continue
    throw usage(`the option ${key} cannot be ${formatValue(items[wrong])}`)
  }
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw usage(`the ${what} must be a function, got ${formatValue(value)}`)
}
