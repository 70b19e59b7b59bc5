/** Custom keys of options that a router passes on in details: by default those of a W3C trace context. */

import type { Dict } from '../../protocol/options.ts'
import { isWellFormed } from '../../protocol/plain.ts'

/** A custom key, as the specification allows it (Basic Profile, Extensibility). `__proto__` would not be a key everywhere. */
export const CUSTOM_KEY = /^_(?!_proto__$)[a-z0-9_]{3,}$/

/** The default of the option `forward`. */
export const TRACE_KEYS: readonly string[] = ['_traceparent', '_tracestate']

/** The greatest length of a value: that of a tracestate. */
const LONGEST_VALUE = 512

function isForwardable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_VALUE && isWellFormed(value)
}

const UNDERSCORE = 95

/** Most options have none, and need no further look. */
function hasCustomKeys(options: Dict): boolean {
  for (const key in options) if (key.charCodeAt(0) === UNDERSCORE) return true
  return false
}

/** The custom keys that are forwarded: from CALL to INVOCATION, and from PUBLISH to EVENT. */
export class Forwarding {
  readonly #keys: readonly string[]

  constructor(keys: readonly string[]) {
    this.#keys = [...new Set(keys)]
  }

  /** The forwarded keys among options, with their values; undefined if there are none. */
  of(options: Dict): Dict | undefined {
    if (!hasCustomKeys(options)) return undefined
    let found: Record<string, unknown> | undefined
    for (const key of this.#keys) {
      const value = options[key]
      if (value === undefined || !isForwardable(value)) continue
      found ??= {}
      found[key] = value
    }
    return found
  }

  /** True if options have such a key with a value that is not forwarded. */
  drops(options: Dict): boolean {
    if (!hasCustomKeys(options)) return false
    for (const key of this.#keys) {
      const value = options[key]
      if (value !== undefined && !isForwardable(value)) return true
    }
    return false
  }
}
