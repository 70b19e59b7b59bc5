/** Which key is for which URI: rules by exact URI and by prefix, each with keys by id. */

import { usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { isPattern } from '../protocol/uri.ts'
import { formatValue } from '../protocol/validate.ts'
import { anyOf, isOneOf, type MatchPolicy } from '../protocol/words.ts'

export interface Key {
  /** Told to everybody, the router included, as `ppt_keyid`: it names a key and must not say anything of it. */
  readonly id: string
  /** 32 bytes that only the ends know, as `randomKey()` makes them. No password. */
  readonly key: Uint8Array
}

export interface KeyRule {
  readonly uri: Uri
  /** `prefix` is as in WAMP: `com.example.` covers all below it, `com.example` also `com.examples`. Default `exact`. */
  readonly match?: 'exact' | 'prefix'
  /** The first encrypts, all of them decrypt. */
  readonly keys: readonly [Key, ...Key[]]
}

/** Of the match policies, those that keys have. */
const KEY_MATCHES = ['exact', 'prefix'] as const satisfies readonly MatchPolicy[]

const KEY_SIZE = 32

/** A new key, by the platform's cryptographic source. */
export function randomKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_SIZE))
}

/** Keys by URI. An exact rule wins over a prefix, and a longer prefix over a shorter one. */
export class Keyring {
  readonly #exact = new Map<Uri, readonly Key[]>()
  readonly #prefixes = new Map<Uri, readonly Key[]>()

  /** @throws WampError `wampy.error.usage` for what is no rule; its text never shows a key */
  constructor(rules: readonly KeyRule[] = []) {
    for (const rule of rules) this.set(rule)
  }

  /** Puts a rule in the place of the one with its URI and match: from then on it counts, also for sessions that run. */
  set({ uri, match = 'exact', keys }: KeyRule): this {
    if (!isOneOf(KEY_MATCHES, match)) throw usage(`match must be ${anyOf(KEY_MATCHES)}, got ${formatValue(match)}`)
    if (typeof uri !== 'string' || !isPattern(uri, match))
      throw usage(`${formatValue(uri)} is no URI of match ${match}`)
    if (!Array.isArray(keys) || !keys.length) throw usage(`the rule for ${formatValue(uri)} needs a list of keys`)
    const ids = new Set<string>()
    const copies = keys.map(({ id, key }: Key): Key => {
      if (typeof id !== 'string' || !id)
        throw usage(`a key for ${formatValue(uri)} needs an id, got ${formatValue(id)}`)
      if (ids.has(id)) throw usage(`two keys for ${formatValue(uri)} have the id ${formatValue(id)}`)
      ids.add(id)
      if (!(key instanceof Uint8Array) || key.length !== KEY_SIZE) {
        throw usage(`the key ${formatValue(id)} for ${formatValue(uri)} must be ${KEY_SIZE} bytes`)
      }
      return { id, key: new Uint8Array(key) }
    })
    this.#table(match).set(uri, copies)
    return this
  }

  /** Takes a rule out. What it covered goes in the clear then, unless another rule covers it. */
  delete(uri: Uri, match: 'exact' | 'prefix' = 'exact'): boolean {
    return this.#table(match).delete(uri)
  }

  /** The keys for a URI, that which encrypts first; undefined where no rule covers it. */
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
