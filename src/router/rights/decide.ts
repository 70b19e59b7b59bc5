/** Decides a session's rights: whether an action is allowed, whether the session is disclosed, and its trust level. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { AUTHORIZATION_FAILED, DISCLOSE_ME_DISALLOWED, NOT_AUTHORIZED } from '../../protocol/names.ts'
import type { Dict, MatchPolicy } from '../../protocol/options.ts'
import { isReserved, matches } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { DISCLOSURES, type Disclosure, isOneOf } from '../../protocol/words.ts'
import type { Destination } from '../member/destination.ts'
import { type Principal, principalDetails } from '../member/principal.ts'
import { Refusal } from '../member/refusal.ts'
import { isAccepted, type UriRule } from '../member/uri-rule.ts'
import { RememberedAnswers } from './answers.ts'
import { type RoleRights, type Rule, RuleSet } from './rules.ts'

export type { Disclosure } from '../../protocol/words.ts'
export type Action = 'call' | 'register' | 'publish' | 'subscribe'
export type Disclosed = 'publish' | 'call'

/** The session that publishes or calls. */
export interface Actor extends Principal {
  readonly session: Id
}

export type Disclose = (action: Disclosed, uri: Uri, actor: Actor) => Disclosure
/** A whole number from 0, the least trusted; undefined for none. */
export type TrustLevel = (action: Disclosed, uri: Uri, actor: Actor) => number | undefined

/** The session that asks for something. */
export interface AuthorizeSession extends Principal {
  readonly id: Id
  readonly realm: Uri
  /** Private data of its authentication method for the router's decisions; undefined for an anonymous session. */
  readonly internal: unknown
}

/** The action of a session. */
export interface AuthorizeRequest {
  readonly session: AuthorizeSession
  readonly action: Action
  /** The topic or procedure; for a subscription or registration it may be a pattern. */
  readonly uri: Uri
  /** The match policy of `uri`; `exact` for calls and publications. */
  readonly match: MatchPolicy
  /** The options of the message, as the session sent them. */
  readonly options: Dict
}

/** A detailed answer of `authorize`. */
export interface Authorization {
  readonly allow: boolean
  /** Disclosure of the caller or publisher; true means `always`, false `never`. Default: the option `disclose`. */
  readonly disclose?: Disclosure | boolean | undefined
  /** The trust level of the caller or publisher. Default: the option `trustlevel`. */
  readonly trustlevel?: number | undefined
  /**
   * True: the action may affect other sessions: end them, remove their subscriptions or registrations, or take a
   * registration over. Default false.
   */
  readonly control?: boolean | undefined
  /**
   * True, or milliseconds: the answer is remembered for this session, action and URI, whatever the options, until
   * `router.forgetDecisions()`. A router remembers 10,000 answers, about URIs of at most 256 characters. Default false.
   */
  readonly cache?: boolean | number | undefined
}

export type Authorize = (request: AuthorizeRequest) => boolean | Authorization | Promise<boolean | Authorization>

/** Asks the procedure of a dynamic authorizer. */
export type AskProcedure = (procedure: Uri, request: AuthorizeRequest) => Promise<unknown>

/** The options by which the owner of a router decides. */
export interface Policy {
  readonly authorize: Authorize | RoleRights | undefined
  /** True if every session may affect others. */
  readonly controlOthers: boolean
  readonly ask: AskProcedure
  /** True for a session that is in the realm. */
  isMember(session: Id): boolean
  readonly disclose: Disclosure | Disclose
  readonly trustlevel: TrustLevel | undefined
  /** Procedures that authenticate sessions, which only a session with a principal in a table may register. */
  readonly guarded: readonly Uri[]
}

/** The decision about one allowed action. It is made once, and carried on the call or publication. */
export interface Decision {
  readonly disclose: Disclosure
  readonly trustlevel: number | undefined
  /** True if the action may affect other sessions. */
  readonly control: boolean
}

/** The decision, or the refusal of the action; a promise never rejects. */
export type Outcome = Decision | Refusal

/** The outcome if the owner does not answer in time. */
export const TOO_LATE = new Refusal(AUTHORIZATION_FAILED, 'the router could not decide this in time')

const UNCLEAR = 'authorize must return true, false or { allow, disclose, trustlevel, control, cache }'

/** True if an action may need a decision of its own. */
function asks({ authorize, trustlevel, disclose, guarded }: Policy): boolean {
  return Boolean(authorize || trustlevel || typeof disclose === 'function' || guarded.length > 0)
}

/** The greatest number of outcomes of rules that are kept for an action of a role, and the greatest length of their URIs. */
const FIXED_OUTCOMES = 1024
const FIXED_URI_LENGTH = 256

type FixedOutcomes = Readonly<Record<Action, Map<Uri, Outcome>>>

/** The rights in one realm. */
export class Rights {
  /** The decision about every action, if no option has to be asked. */
  always: Decision | undefined
  readonly #realm: Uri
  readonly #rule: UriRule
  #policy: Policy
  readonly #unasked: Decision
  /** By role. */
  readonly #fixed = new Map<string, FixedOutcomes>()
  #remembered = new RememberedAnswers()
  #reported = false

  constructor(realm: Uri, rule: UriRule, policy: Policy) {
    const { disclose } = policy
    this.#realm = realm
    this.#rule = rule
    this.#policy = policy
    this.#unasked = {
      disclose: typeof disclose === 'string' ? disclose : 'asked',
      trustlevel: undefined,
      control: policy.controlOthers,
    }
    this.always = asks(policy) ? undefined : this.#unasked
  }

  /** Follows other rules from now on. */
  replace(authorize: Policy['authorize'], guarded: Policy['guarded']): void {
    this.#policy = { ...this.#policy, authorize, guarded }
    this.always = asks(this.#policy) ? undefined : this.#unasked
    this.#fixed.clear()
    this.forget()
  }

  /**
   * Asks the owner once. An invalid `uri` is not asked about, because the role refuses it by itself. A synchronous answer
   * creates no promise.
   */
  decide(action: Action, uri: Uri, match: MatchPolicy, options: Dict, from: Destination): Outcome | Promise<Outcome> {
    const known = match === 'exact' ? this.#fixedFor(from)?.[action].get(uri) : undefined
    if (known) return known
    const { authorize, guarded } = this.#policy
    if (!isAccepted(uri, this.#rule, match)) return this.#unasked
    if (
      action === 'register' &&
      !from.staticPrincipal &&
      !from.trusted &&
      guarded.some((each) => matches(each, uri, match))
    ) {
      return new Refusal(NOT_AUTHORIZED, `only a session with a principal in a table may register ${formatValue(uri)}`)
    }
    if (from.trusted || !from.principal) return this.#granted(action, uri, from, { control: true })
    if (!authorize) return this.#granted(action, uri, from, {})
    if (typeof authorize === 'function') return this.#ask(authorize, action, uri, match, options, from)
    const rights = authorize.get(from.principal.authrole)
    if (rights instanceof RuleSet) {
      const rule = rights.find(action, uri, match)
      const outcome = rule ? this.#ruled(action, uri, from, rule) : refusedAction(action, uri)
      if (match === 'exact' && action !== 'register') this.#fix(from, action, uri, outcome)
      return outcome
    }
    if (rights === undefined) return refusedAction(action, uri)
    const asked: Authorize =
      typeof rights === 'function' ? rights : (request) => this.#policy.ask(rights, request) as Promise<boolean>
    return this.#ask(asked, action, uri, match, options, from)
  }

  /** The outcomes of rules for exact URIs that are the same for all sessions of a role. */
  #fixedFor({ principal, trusted }: Destination): FixedOutcomes | undefined {
    return principal && !trusted ? this.#fixed.get(principal.authrole) : undefined
  }

  #fix({ principal }: Destination, action: Action, uri: Uri, outcome: Outcome): void {
    const { disclose, trustlevel } = this.#policy
    if (!principal || trustlevel || typeof disclose === 'function' || uri.length > FIXED_URI_LENGTH) return
    const { authrole } = principal
    const known = this.#fixed.get(authrole) ?? {
      call: new Map(),
      register: new Map(),
      publish: new Map(),
      subscribe: new Map(),
    }
    if (known[action].size === FIXED_OUTCOMES) known[action].clear()
    known[action].set(uri, outcome)
    this.#fixed.set(authrole, known)
  }

  /** True if the owner's rules let a subscriber by pattern receive the events of a topic. */
  mayReceive(uri: Uri, { principal, trusted }: Destination): boolean {
    const { authorize } = this.#policy
    if (!authorize || typeof authorize === 'function' || trusted || !principal) return true
    const rights = authorize.get(principal.authrole)
    return !(rights instanceof RuleSet) || rights.best(uri)?.allow.subscribe === true
  }

  /** True if `mayReceive` may be false. */
  get filters(): boolean {
    const { authorize } = this.#policy
    return authorize !== undefined && typeof authorize !== 'function'
  }

  /** True if answers of authorizers may be remembered. */
  get remembers(): boolean {
    const { authorize } = this.#policy
    if (!authorize || typeof authorize === 'function') return authorize !== undefined
    return [...authorize.values()].some((rights) => !(rights instanceof RuleSet))
  }

  /** Forgets the remembered answers of authorizers, and those under way, which may follow the rules of before. */
  forget(): void {
    this.#remembered = new RememberedAnswers()
  }

  /** A session has left. */
  left(session: Id): void {
    this.#remembered.forget(session)
  }

  #ask(
    authorize: Authorize,
    action: Action,
    uri: Uri,
    match: MatchPolicy,
    options: Dict,
    from: Destination,
  ): Outcome | Promise<Outcome> {
    const { id, internal } = from
    const key = `${id} ${action} ${match} ${options['force_reregister'] === true} ${uri}`
    const remembered = this.#remembered
    const known = remembered.find(key)
    if (known) return known
    const session = { id, realm: this.#realm, ...principalDetails(from.principal as Principal), internal }
    const remember = (outcome: Outcome, cache: Authorization['cache']): Outcome => {
      // The session may have left meanwhile.
      if (cache && this.#policy.isMember(id)) remembered.keep(id, key, uri, outcome, cache)
      return outcome
    }
    try {
      const answer = authorize({ session, action, uri, match, options })
      if (!isPromise(answer)) return this.#answered(action, uri, from, answer, remember)
      return Promise.resolve(answer)
        .then((later) => this.#answered(action, uri, from, later, remember))
        .catch((error) => this.#failed(error))
    } catch (error) {
      return this.#failed(error)
    }
  }

  #ruled(action: Action, uri: Uri, from: Destination, { disclose, control }: Rule): Decision {
    const disclosed = { call: disclose.caller, publish: disclose.publisher, register: undefined, subscribe: undefined }
    return this.#granted(action, uri, from, { control, disclose: disclosed[action] || undefined })
  }

  #answered(
    action: Action,
    uri: Uri,
    from: Destination,
    answer: unknown,
    remember: (outcome: Outcome, cache: Authorization['cache']) => Outcome,
  ): Outcome {
    const { allow, ...rest } = isDict(answer) ? answer : { allow: answer }
    if (typeof allow !== 'boolean') return this.#failed(new TypeError(`${UNCLEAR}, got ${formatValue(answer)}`))
    const { disclose, trustlevel, control, cache } = rest as Omit<Authorization, 'allow'>
    if (cache !== undefined && typeof cache !== 'boolean' && !(Number(cache) >= 0)) {
      return this.#failed(new TypeError(`cache must be true, false or milliseconds, got ${formatValue(cache)}`))
    }
    if (control !== undefined && typeof control !== 'boolean') {
      return this.#failed(new TypeError(`control must be true or false, got ${formatValue(control)}`))
    }
    if (!allow) return remember(refusedAction(action, uri), cache)
    if (disclose !== undefined && typeof disclose !== 'boolean' && !isOneOf(DISCLOSURES, disclose)) {
      return this.#failed(new TypeError(`disclose must be ${DISCLOSURES.join(', ')} or true or false`))
    }
    if (trustlevel !== undefined && !isTrustLevel(trustlevel)) {
      return this.#failed(new TypeError(`trustlevel must be a whole number from 0, got ${formatValue(trustlevel)}`))
    }
    return remember(this.#granted(action, uri, from, rest), cache)
  }

  /** The options `disclose` and `trustlevel` decide what `authorize` left open. */
  #granted(action: Action, uri: Uri, from: Destination, said: Omit<Authorization, 'allow'>): Decision {
    const control = said.control === true || this.#policy.controlOthers
    if (action === 'subscribe' || isReserved(uri) || !from.principal) {
      return control === this.#unasked.control ? this.#unasked : { ...this.#unasked, control }
    }
    // A callee is not disclosed, but it may ask for the identity of its callers.
    if (action === 'register') {
      const disclose = said.disclose === undefined ? this.#unasked.disclose : wordOf(said.disclose)
      return { disclose, trustlevel: undefined, control }
    }
    const actor = { session: from.id, ...principalDetails(from.principal) }
    return {
      disclose: wordOf(said.disclose ?? this.#disclosure(action, uri, actor)),
      trustlevel: said.trustlevel ?? this.#trustLevel(action, uri, actor),
      control,
    }
  }

  /** Fails closed: a function that throws, or returns anything else, discloses nobody. */
  #disclosure(action: Disclosed, uri: Uri, actor: Actor): Disclosure {
    const { disclose } = this.#policy
    if (typeof disclose === 'string') return disclose
    try {
      const found = disclose(action, uri, actor)
      return isOneOf(DISCLOSURES, found) ? found : 'never'
    } catch {
      return 'never'
    }
  }

  #trustLevel(action: Disclosed, uri: Uri, actor: Actor): number | undefined {
    try {
      const level = this.#policy.trustlevel?.(action, uri, actor)
      return isTrustLevel(level) ? level : undefined
    } catch {
      // No trust level at all: a failure must not raise the trust.
      return undefined
    }
  }

  // The error may contain secrets and is not sent to the session.
  #failed(error: unknown): Refusal {
    if (!this.#reported) {
      this.#reported = true
      console.error('authorize of the router failed; its further errors are only refusals:', error)
    }
    return new Refusal(AUTHORIZATION_FAILED, 'the router could not decide this')
  }
}

function refusedAction(action: Action, uri: Uri): Refusal {
  return new Refusal(NOT_AUTHORIZED, `this session may not ${action} ${formatValue(uri)}`)
}

/** The refusal of a `disclose_me`, if it is refused. */
export function refuseDisclosure({ disclose }: Decision, uri: Uri, asked: boolean): Refusal | undefined {
  if (!asked || disclose !== 'never') return undefined
  return new Refusal(DISCLOSE_ME_DISALLOWED, `disclose_me is not allowed for ${formatValue(uri)}`)
}

/** True if receivers learn the identity of the session, given whether somebody asked for it. */
export function isDisclosed({ disclose }: Decision, asked: boolean): boolean {
  return disclose === 'always' || (asked && disclose === 'asked')
}

function wordOf(disclose: Disclosure | boolean): Disclosure {
  if (typeof disclose === 'string') return disclose
  return disclose ? 'always' : 'never'
}

function isTrustLevel(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}
