/** The rule for the values of a payload, shared by all serializers and the link in memory. */

import { thrown, unsent, WampError } from './error.ts'
import { MAX_DEPTH } from './fixed-limits.ts'
import { INVALID_ARGUMENT } from './names.ts'
import { isBytes } from './validate.ts'

/** The error for a value that cannot travel, at a place such as `args[0].user`. */
export function refused(place: string, what: string): WampError {
  return unsent(INVALID_ARGUMENT, `${place} is ${what}, which cannot be sent`)
}

/**
 * Copies a value by the rule: lists, plain objects and class instances (their own enumerable keys), text, numbers,
 * booleans, null, bigint, and bytes (Uint8Array, ArrayBuffer). `toJSON` is honoured. `undefined` is null in a list
 * and leaves no key in a dictionary, as in JSON. Anything else, a cycle, and a getter that throws, throws
 * `invalid_argument` and names the place. `unfit` may refuse a text, a number or a bigint: it returns what that is.
 */
export function plain(value: unknown, place: string, unfit: Unfit = fits): unknown {
  const path: (string | number)[] = []
  try {
    return copyPlain(value, place, path, 0, unfit)
  } catch (error) {
    // A refusal names the place already.
    if (error instanceof WampError && error.uri === INVALID_ARGUMENT) throw error
    const text = `${formatPath(place, path)} cannot be read: ${thrown(error).message}`
    throw unsent(INVALID_ARGUMENT, text, error)
  }
}

const LONE_SURROGATE = 'text with half a surrogate pair'

/** False for text with half a surrogate pair, which UTF-8 cannot carry: binary serializers would change it. */
export function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text)
}

type Unfit = (value: unknown) => string | undefined

const fits: Unfit = () => undefined

/** `path` leads from `place` to the value. It is kept as keys, because values are rarely refused. */
function copyPlain(value: unknown, place: string, path: (string | number)[], depth: number, unfit: Unfit): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'function' || typeof value === 'symbol')
    throw refused(formatPath(place, path), `a ${typeof value}`)
  if (typeof value !== 'object') {
    const what = typeof value === 'string' && !isWellFormed(value) ? LONE_SURROGATE : unfit(value)
    if (what) throw refused(formatPath(place, path), what)
    return value
  }
  if (depth >= MAX_DEPTH) {
    throw refused(`${formatPath(place, path).slice(0, 60)}...`, `nested deeper than ${MAX_DEPTH} levels or a cycle`)
  }
  if (Array.isArray(value)) {
    const copy: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      path.push(i)
      copy.push(copyPlain(value[i], place, path, depth + 1, unfit))
      path.pop()
    }
    return copy
  }
  if (isBytes(value)) return new Uint8Array(value)
  if (tagOf(value) === 'ArrayBuffer') return new Uint8Array((value as ArrayBuffer).slice(0))
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return copyPlain((value as { toJSON(): unknown }).toJSON(), place, path, depth + 1, unfit)
  }
  if (!isRecord(value)) {
    throw refused(formatPath(place, path), `a ${tagOf(value)}`)
  }
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    path.push(key)
    const item = (value as Record<string, unknown>)[key]
    if (item !== undefined) {
      if (key === '__proto__') throw refused(formatPath(place, path), 'a reserved key')
      if (!isWellFormed(key)) throw refused(formatPath(place, path), `a key that is ${LONE_SURROGATE}`)
      copy[key] = copyPlain(item, place, path, depth + 1, unfit)
    }
    path.pop()
  }
  return copy
}

function formatPath(place: string, path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${key}`), place)
}

/** True if a value is a plain dictionary without keys, as most options and details are. */
export function isEmptyDict(value: unknown): boolean {
  for (const _key in value as object) return false
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** True if an object's own keys are its content: a plain object, or an instance of a class that is not a built-in kind. */
export function isRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || tagOf(value) === 'Object'
}

/** The kind of an object by its tag, which objects of another realm (an iframe, `vm`) have as well. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
