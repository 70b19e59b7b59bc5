/** Keys by URI: rules with an exact URI or a prefix, each with keys by id. */

import { usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { isPattern } from '../protocol/uri.ts'
import { formatValue, isBytes } from '../protocol/validate.ts'
import { anyOf, isOneOf, type MatchPolicy } from '../protocol/words.ts'

export interface Key {
  /** Public, because it is sent as `ppt_keyid`: it names a key and must reveal nothing about it. */
  readonly id: string
  /** 32 bytes that only the ends know, made by `randomKey()`. Not a password. */
  readonly key: Uint8Array
}

export interface KeyRule {
  readonly uri: Uri
  /** `prefix` is as in WAMP: `com.example.` covers all below it, `com.example` also `com.examples`. Default `exact`. */
  readonly match?: 'exact' | 'prefix'
  /** The first key encrypts; all of them decrypt. */
  readonly keys: readonly [Key, ...Key[]]
}

/** The match policies of key rules. */
const KEY_MATCHES = ['exact', 'prefix'] as const satisfies readonly MatchPolicy[]

const KEY_SIZE = 32

/** Returns a new key from the platform's cryptographic source. */
export function randomKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_SIZE))
}

/** Keys by URI. An exact rule wins over a prefix, and a longer prefix over a shorter one. */
export class Keyring {
  readonly #exact = new Map<Uri, readonly Key[]>()
  readonly #prefixes = new Map<Uri, readonly Key[]>()

  /** @throws WampError `wampy.error.usage` for an invalid rule; its text never contains a key */
  constructor(rules: readonly KeyRule[] = []) {
    for (const rule of rules) this.set(rule)
  }

  /** Adds a rule or replaces that of the same URI and match, at once and also for open sessions. */
  set({ uri, match = 'exact', keys }: KeyRule): this {
    if (!isOneOf(KEY_MATCHES, match)) throw usage(`match must be ${anyOf(KEY_MATCHES)}, got ${formatValue(match)}`)
    if (typeof uri !== 'string' || !isPattern(uri, match))
      throw usage(`${formatValue(uri)} is not a valid URI of match ${match}`)
    if (!Array.isArray(keys) || !keys.length) throw usage(`the rule for ${formatValue(uri)} needs a list of keys`)
    const ids = new Set<string>()
    const copies = keys.map(({ id, key }: Key): Key => {
      if (typeof id !== 'string' || !id)
        throw usage(`a key for ${formatValue(uri)} needs an id, got ${formatValue(id)}`)
      if (ids.has(id)) throw usage(`two keys for ${formatValue(uri)} have the id ${formatValue(id)}`)
      ids.add(id)
      if (!isBytes(key) || key.length !== KEY_SIZE) {
        throw usage(`the key ${formatValue(id)} for ${formatValue(uri)} must be ${KEY_SIZE} bytes`)
      }
      return { id, key: new Uint8Array(key) }
    })
    this.#table(match).set(uri, copies)
    return this
  }

  /** Removes a rule. Payloads for its URIs are then sent unencrypted, unless another rule covers them. */
  delete(uri: Uri, match: 'exact' | 'prefix' = 'exact'): boolean {
    return this.#table(match).delete(uri)
  }

  /** Returns the keys for a URI, the encrypting one first; undefined if no rule covers it. */
  keysOf(uri: Uri): readonly Key[] | undefined {
    const exact = this.#exact.get(uri)
    if (exact) return exact
    let longest = ''
    let found: readonly Key[] | undefined
    for (const [prefix, keys] of this.#prefixes) {
      if (prefix.length < longest.length || !uri.startsWith(prefix)) continue
      longest = prefix
      found = keys
    }
    return found
  }

  #table(match: 'exact' | 'prefix'): Map<Uri, readonly Key[]> {
    return match === 'exact' ? this.#exact : this.#prefixes
  }
}
