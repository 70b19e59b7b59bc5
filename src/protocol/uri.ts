/** URIs: which are legal where, and which belong to the router. */

import type { MatchPolicy } from './options.ts'

/** Whether a URI names one thing: a realm, a topic, a procedure, an error, a reason. */
export function isUri(uri: string, strict = false): boolean {
  return isPattern(uri, 'exact', strict)
}

// Basic Profile, URIs: loose allows everything but white space, '#' and empty components.
// Tested as "what is illegal", which needs no backtracking however long the text is.
const ILLEGAL = /[\s#]|^\.|\.\.|\.$|^$/
const ILLEGAL_PREFIX = /[\s#]|^\.|\.\./
const ILLEGAL_WILDCARD = /[\s#]/
const ILLEGAL_STRICTLY = /[^0-9a-z_.]/

/** Whether a URI is legal under a match policy: empty components are allowed only in patterns. */
export function isPattern(uri: string, match: MatchPolicy = 'exact', strict = false): boolean {
  const illegal = match === 'exact' ? ILLEGAL : match === 'prefix' ? ILLEGAL_PREFIX : ILLEGAL_WILDCARD
  return !illegal.test(uri) && !(strict && ILLEGAL_STRICTLY.test(uri))
}

/** Whether a URI lies in the namespace that belongs to the router: `wamp`, `wamp.session.count`. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp') && (uri.length === 4 || uri.charCodeAt(4) === 46)
}
