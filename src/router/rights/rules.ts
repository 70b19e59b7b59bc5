/** Rules by role, in the vocabulary of Crossbar.io: which actions on which URIs a role may take. */

import { usage } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { dictOf, FLAG, type OptionRules, STRING } from '../../protocol/option-rules.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { isPattern, isReserved, matches } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { anyOf, isOneOf, MATCH_POLICIES } from '../../protocol/words.ts'
import type { Action, Authorize } from './decide.ts'

/** One rule of a role. The most specific rule for a URI decides: exact, else the longest prefix, else a wildcard. */
export interface Permission {
  /** A rule for an exact URI never grants a pattern. `com.example.*` without `match` is the prefix `com.example.`. */
  readonly uri: Uri
  /** Default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** The allowed actions; what is left out is denied. */
  readonly allow?: { readonly [Allowed in Action]?: boolean | undefined } | undefined
  /** True: callers or publishers are always disclosed. False or left out: the option `disclose` of the router. */
  readonly disclose?: { readonly caller?: boolean | undefined; readonly publisher?: boolean | undefined } | undefined
  /** True: the action may affect other sessions, by `wamp.session.kill` for example, or by `force_reregister`. */
  readonly control?: boolean | undefined
  /** Accepted for pasted configurations: decisions by rules need no cache. */
  readonly cache?: boolean | undefined
}

/** The rights of a role: a list of rules, or an authorizer that decides each action. */
export interface RoleRules {
  readonly name: string
  readonly permissions?: readonly Permission[] | undefined
  /** A function, or the procedure of a dynamic authorizer. */
  readonly authorizer?: Authorize | Uri | undefined
}

const ACTIONS = { call: FLAG, register: FLAG, publish: FLAG, subscribe: FLAG } satisfies OptionRules<
  NonNullable<Permission['allow']>
>
const ALLOW = dictOf<NonNullable<Permission['allow']>>('allow', ACTIONS)
const DISCLOSE = dictOf<NonNullable<Permission['disclose']>>('disclose', { caller: FLAG, publisher: FLAG })
const PERMISSION = dictOf<Permission>('permissions', {
  uri: STRING,
  match: [anyOf(MATCH_POLICIES), (value) => isOneOf(MATCH_POLICIES, value)],
  allow: ALLOW,
  disclose: DISCLOSE,
  control: FLAG,
  cache: FLAG,
})
const ROLE = dictOf<RoleRules>('authorize', {
  name: STRING,
  permissions: ['a list of rules', (value) => Array.isArray(value) && value.every((each) => PERMISSION[1](each))],
  authorizer: ['a function or the URI of a procedure', (value) => ['function', 'string'].includes(typeof value)],
})

/** One rule, complete. */
export interface Rule {
  readonly uri: Uri
  readonly match: MatchPolicy
  readonly allow: NonNullable<Permission['allow']>
  readonly disclose: NonNullable<Permission['disclose']>
  readonly control: boolean
}

/** The greatest number of remembered answers about URIs, which peers choose, and their greatest length. */
const CACHED_ANSWERS = 1024
const CACHED_URI_LENGTH = 256

/** The rules of one role. */
export class RuleSet {
  readonly #exact = new Map<Uri, Rule>()
  readonly #patterns: readonly Rule[]
  readonly #answers = new Map<Uri, Rule | undefined>()

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) if (rule.match === 'exact') this.#exact.set(rule.uri, rule)
    this.#patterns = rules.filter(({ match }) => match !== 'exact').sort(bySpecificity)
  }

  /** The rule that decides about a URI. */
  best(uri: Uri): Rule | undefined {
    const exact = this.#exact.get(uri)
    if (exact || this.#patterns.length === 0) return exact
    const known = this.#answers.get(uri)
    if (known || this.#answers.has(uri)) return known
    const found = this.#patterns.find((rule) => matches(uri, rule.uri, rule.match))
    if (uri.length <= CACHED_URI_LENGTH) {
      if (this.#answers.size === CACHED_ANSWERS) this.#answers.clear()
      this.#answers.set(uri, found)
    }
    return found
  }

  /** The rule that decides about an action on a URI or pattern; undefined denies it. */
  find(action: Action, uri: Uri, match: MatchPolicy): Rule | undefined {
    const rule = match === 'exact' ? this.best(uri) : this.#patterns.find((each) => covers(each, uri, match))
    if (!rule?.allow[action]) return undefined
    // A callee by pattern would receive the calls of URIs that a more specific rule denies it.
    if (action === 'register' && match !== 'exact' && this.#denies(action, { uri, match }, rule)) return undefined
    return rule
  }

  /** True if a rule that is more specific than `than` denies an action on some URIs of a pattern. */
  #denies(action: Action, pattern: Matching, than: Rule): boolean {
    const patterns = this.#patterns.slice(0, this.#patterns.indexOf(than))
    const decisive = [...this.#exact.values(), ...patterns].filter(
      (rule) => !rule.allow[action] && !isAboutRouter(rule),
    )
    return decisive.some((rule) => overlap(rule, pattern))
  }
}

/** URIs that match one policy. */
type Matching = Pick<Rule, 'uri' | 'match'>

/** Longer prefixes first, then wildcards with more literal components. */
function bySpecificity(one: Rule, other: Rule): number {
  if (one.match !== other.match) return one.match === 'prefix' ? -1 : 1
  if (one.match === 'prefix') return other.uri.length - one.uri.length
  return literals(other.uri) - literals(one.uri)
}

const literals = (uri: Uri): number => uri.split('.').filter(Boolean).length

/** True if every URI that a pattern matches is matched by the rule as well. */
function covers(rule: Matching, uri: Uri, match: MatchPolicy): boolean {
  if (match === 'exact') return matches(uri, rule.uri, rule.match)
  if (rule.match === 'exact') return false
  if (rule.match === 'prefix') {
    return (match === 'prefix' ? uri : beginningOf(uri)).startsWith(rule.uri)
  }
  // A prefix matches URIs of any length, and a wildcard those of one.
  if (match === 'prefix') return false
  const [wide, narrow] = [rule.uri.split('.'), uri.split('.')]
  return wide.length === narrow.length && wide.every((component, at) => component === '' || component === narrow[at])
}

/** True for a rule about the router's own URIs alone, which no callee serves. */
function isAboutRouter({ uri, match }: Matching): boolean {
  return match === 'prefix' ? uri.startsWith('wamp.') : isReserved(uri)
}

/** True if some URI is matched by both. */
function overlap(one: Matching, other: Matching): boolean {
  if (one.match === 'exact') return matches(one.uri, other.uri, other.match)
  const [these, those] = [one.uri.split('.'), other.uri.split('.')]
  if (one.match === 'prefix' && other.match === 'prefix') {
    return one.uri.startsWith(other.uri) || other.uri.startsWith(one.uri)
  }
  if (one.match === 'prefix') return mayBegin(those, these)
  return other.match === 'prefix' ? mayBegin(these, those) : these.length === those.length && meet(these, those)
}

const meet = (these: readonly string[], those: readonly string[]): boolean =>
  those.every((component, at) => component === '' || these[at] === '' || component === these[at])

/** True if some URI that a wildcard matches begins with a prefix, whose last component may be the beginning of one. */
function mayBegin(wildcard: readonly string[], prefix: readonly string[]): boolean {
  const last = prefix.length - 1
  const at = wildcard[last]
  if (at === undefined || (at !== '' && !at.startsWith(prefix[last] as string))) return false
  return meet(wildcard, prefix.slice(0, last))
}

/** The literal beginning of all URIs that a wildcard matches: `com.a.` for `com.a..b`. */
function beginningOf(wildcard: Uri): string {
  const components = wildcard.split('.')
  const free = components.indexOf('')
  return free < 0 ? wildcard : components.slice(0, free).join('.') + (free > 0 ? '.' : '')
}

/** The rights of the roles of one realm. */
export type RoleRights = ReadonlyMap<string, RuleSet | Authorize | Uri>

/** @throws WampError `wampy.error.usage` that names the invalid rule */
export function rightsFrom(roles: readonly RoleRules[]): RoleRights {
  const rights = new Map<string, RuleSet | Authorize | Uri>()
  for (const role of roles) {
    ROLE[1](role)
    const { name, permissions, authorizer } = role
    if (typeof authorizer === 'string' && !isPattern(authorizer)) {
      throw usage(`authorize: ${formatValue(authorizer)} is not a valid URI of a procedure`)
    }
    if (typeof name !== 'string' || (permissions === undefined) === (authorizer === undefined)) {
      throw usage('authorize: a role has a name, and either permissions or an authorizer')
    }
    if (rights.has(name)) throw usage(`authorize names the role ${formatValue(name)} twice`)
    const rules = (permissions ?? []).map((permission) => ruleFrom(name, permission))
    const seen = new Set<string>()
    for (const { uri, match } of rules) {
      const key = `${match} ${uri}`
      if (seen.has(key)) {
        throw usage(`authorize: the role ${formatValue(name)} has two rules for ${formatValue(uri)}, match: ${match}`)
      }
      seen.add(key)
    }
    rights.set(name, authorizer ?? new RuleSet(rules))
  }
  return rights
}

function ruleFrom(role: string, { uri, match, allow = {}, disclose = {}, control = false }: Permission): Rule {
  const shortened = match === undefined && uri.endsWith('*')
  const rule = {
    uri: shortened ? uri.slice(0, -1) : uri,
    match: match ?? (shortened ? 'prefix' : 'exact'),
    allow,
    disclose,
    control,
  } satisfies Rule
  if (isPattern(rule.uri, rule.match)) return rule
  throw usage(
    `authorize: ${formatValue(uri)} of the role ${formatValue(role)} is not a valid URI for match: ${rule.match}`,
  )
}

/** True for lists of roles, as opposed to a function or a dictionary of lists by realm. */
export function isRoleList(value: unknown): value is readonly RoleRules[] {
  return Array.isArray(value) && value.every(isDict)
}
