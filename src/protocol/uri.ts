/** URIs: which are legal where, and which belong to the router. */

import type { MatchPolicy } from './words.ts'

/** Whether a URI names one thing: a realm, a topic, a procedure, an error, a reason. */
export function isUri(uri: string, strict = false): boolean {
  return isPattern(uri, 'exact', strict)
}

// Basic Profile, URIs: loose allows everything but white space, '#' and empty components.
// Tested as "what is illegal", which needs no backtracking however long the text is.
const ILLEGAL: Readonly<Record<MatchPolicy, RegExp>> = {
  exact: /[\s#]|^\.|\.\.|\.$|^$/,
  prefix: /[\s#]|^\.|\.\./,
  wildcard: /[\s#]/,
}
const ILLEGAL_STRICTLY = /[^0-9a-z_.]/

/** Whether a URI is legal under a match policy: empty components are allowed only in patterns. */
export function isPattern(uri: string, match: MatchPolicy = 'exact', strict = false): boolean {
  return !ILLEGAL[match].test(uri) && !(strict && ILLEGAL_STRICTLY.test(uri))
}

/** Whether a URI matches a pattern under its policy. */
export function matches(uri: string, pattern: string, match: MatchPolicy): boolean {
  switch (match) {
    case 'exact':
      return uri === pattern
    case 'prefix':
      return uri.startsWith(pattern)
    case 'wildcard': {
      const components = uri.split('.')
      const literals = pattern.split('.')
      return (
        components.length === literals.length &&
        literals.every((literal, i) => literal === '' || literal === components[i])
      )
    }
  }
}

/** Whether a URI lies in the namespace that belongs to the router: `wamp`, `wamp.session.count`. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp') && (uri.length === 4 || uri.charCodeAt(4) === 46)
}
