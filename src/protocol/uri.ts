/** URIs: which are legal where, and which belong to the router. */

import type { MatchPolicy } from './options.ts'

// Basic Profile, URIs: loose allows everything but white space, '#' and empty components.
// Tested as "what is illegal", which needs no backtracking however long the text is.
const LOOSE_ILLEGAL = /[\s#]|^\.|\.\.|\.$|^$/
const LOOSE_PATTERN_ILLEGAL = /[\s#]/
const LOOSE_PREFIX_ILLEGAL = /[\s#]|^\.|\.\./
const STRICT_CHARACTERS = /^[0-9a-z_.]*$/

/** Whether a URI names one thing: a realm, a topic, a procedure, an error, a reason. */
export function isUri(uri: string, strict = false): boolean {
  return !LOOSE_ILLEGAL.test(uri) && (!strict || STRICT_CHARACTERS.test(uri))
}

/** Whether a URI is legal under a match policy: empty components are allowed only in patterns. */
export function isPattern(uri: string, match: MatchPolicy = 'exact', strict = false): boolean {
  if (match === 'exact') return isUri(uri, strict)
  const illegal = match === 'prefix' ? LOOSE_PREFIX_ILLEGAL : LOOSE_PATTERN_ILLEGAL
  return !illegal.test(uri) && (!strict || STRICT_CHARACTERS.test(uri))
}

/** Whether a URI lies in the namespace that belongs to the router: `wamp`, `wamp.session.count`. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp') && (uri.length === 4 || uri.charCodeAt(4) === 46)
}
