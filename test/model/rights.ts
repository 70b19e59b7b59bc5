/** What rules mean, found out by trying URIs one by one: slow, plain, and nothing in common with the router's code. */

export type Match = 'exact' | 'prefix' | 'wildcard'
export type Act = 'call' | 'register' | 'publish' | 'subscribe'

export interface ModelRule {
  readonly uri: string
  readonly match: Match
  readonly allow: { readonly [Allowed in Act]?: boolean }
  readonly disclose?: { readonly caller?: boolean; readonly publisher?: boolean }
  readonly control?: boolean
}

const WORDS = ['a', 'b', 'c', 'ab', 'zz']
const RESERVED = [
  'wamp.session',
  'wamp.session.on_join',
  'wamp.session.on_join.x',
  'wamp.session.on_leave',
  'wamp.session.count',
  'wamp.session.kill',
  'wamp.session.zz',
  'wamp.subscription.on_create',
  'wamp.subscription.zz',
  'wamp.registration.on_create',
  'wamp.zz',
  'wamp.zz.zz.zz',
]

/** URIs enough to tell any two patterns of a program apart: all of up to four words, and some of the router's. */
const UNIVERSE: readonly string[] = [
  ...[1, 2, 3, 4].flatMap((length) => {
    let uris = ['']
    for (let n = 0; n < length; n++) uris = uris.flatMap((uri) => WORDS.map((word) => (n ? `${uri}.${word}` : word)))
    return uris
  }),
  ...RESERVED,
]

export function fits(uri: string, pattern: string, match: Match): boolean {
  if (match === 'exact') return uri === pattern
  if (match === 'prefix') return uri.slice(0, pattern.length) === pattern
  const [words, wanted] = [uri.split('.'), pattern.split('.')]
  return words.length === wanted.length && words.every((word, at) => wanted[at] === '' || wanted[at] === word)
}

const known = new Map<string, ReadonlySet<string>>()

/** The URIs of the universe that a pattern matches. */
function extent(pattern: string, match: Match): ReadonlySet<string> {
  const key = `${match} ${pattern}`
  const found = known.get(key) ?? new Set(UNIVERSE.filter((uri) => fits(uri, pattern, match)))
  known.set(key, found)
  return found
}

const within = (narrow: ReadonlySet<string>, wide: ReadonlySet<string>): boolean =>
  [...narrow].every((uri) => wide.has(uri))
const meets = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean => [...one].some((uri) => other.has(uri))

/** True if one rule is more specific than another one that is listed later. */
function precedes(one: ModelRule, other: ModelRule): boolean {
  const rank = { exact: 2, prefix: 1, wildcard: 0 }
  if (one.match !== other.match) return rank[one.match] > rank[other.match]
  if (one.match === 'prefix') return one.uri.length >= other.uri.length
  const literals = ({ uri }: ModelRule): number => uri.split('.').filter((word) => word !== '').length
  return literals(one) >= literals(other)
}

function mostSpecific(rules: readonly ModelRule[]): ModelRule | undefined {
  let best: ModelRule | undefined
  for (const rule of rules) if (!best || !precedes(best, rule)) best = rule
  return best
}

/** The rule that decides about one URI. */
export function ruleFor(rules: readonly ModelRule[], uri: string): ModelRule | undefined {
  return mostSpecific(rules.filter((rule) => fits(uri, rule.uri, rule.match)))
}

const grants = new WeakMap<readonly ModelRule[], Map<string, ModelRule | undefined>>()

/** The rule that allows an action on a URI or pattern, if one does. */
export function grantOf(rules: readonly ModelRule[], act: Act, uri: string, match: Match): ModelRule | undefined {
  if (match === 'exact') {
    const rule = ruleFor(rules, uri)
    return rule?.allow[act] ? rule : undefined
  }
  const memo = grants.get(rules) ?? new Map<string, ModelRule | undefined>()
  grants.set(rules, memo)
  const key = `${act} ${match} ${uri}`
  if (!memo.has(key)) memo.set(key, patternGrant(rules, act, uri, match))
  return memo.get(key)
}

function patternGrant(rules: readonly ModelRule[], act: Act, uri: string, match: Match): ModelRule | undefined {
  const asked = extent(uri, match)
  const rule = mostSpecific(
    rules.filter((each) => each.match !== 'exact' && within(asked, extent(each.uri, each.match))),
  )
  if (!rule?.allow[act]) return undefined
  if (act !== 'register') return rule
  const first = rules.indexOf(rule)
  // A callee never serves the router's own procedures.
  const served = new Set([...asked].filter((each) => !each.startsWith('wamp.')))
  const denied = rules.some(
    (each, at) =>
      each !== rule &&
      !each.allow[act] &&
      // Of two alike, the one that is listed first is the more specific one.
      (at < first ? precedes(each, rule) : !precedes(rule, each)) &&
      meets(served, extent(each.uri, each.match)),
  )
  return denied ? undefined : rule
}
