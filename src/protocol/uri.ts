/** URIs: their syntax, patterns, and the namespace of the router. */

import type { MatchPolicy } from './words.ts'

/** True if a URI is valid as the name of a realm, topic, procedure, error or reason. */
export function isUri(uri: string, strict = false): boolean {
  return isPattern(uri, 'exact', strict)
}

// Basic Profile, URIs: the loose rule allows everything but white space, '#' and empty components.
// The expression matches what is illegal, which needs no backtracking however long the text is.
const ILLEGAL: Readonly<Record<MatchPolicy, RegExp>> = {
  exact: /[\s#]|^\.|\.\.|\.$|^$/,
  prefix: /[\s#]|^\.|\.\./,
  wildcard: /[\s#]/,
}
const ILLEGAL_STRICTLY = /[^0-9a-z_.]/

/** True if a URI is valid under a match policy: empty components are allowed only in patterns. */
export function isPattern(uri: string, match: MatchPolicy = 'exact', strict = false): boolean {
  return !ILLEGAL[match].test(uri) && !(strict && ILLEGAL_STRICTLY.test(uri))
}

/** True if a URI matches a pattern under its policy. */
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

/** True if a URI is in the namespace of the router: `wamp`, `wamp.session.count`. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp') && (uri.length === 4 || uri.charCodeAt(4) === 46)
}
