/** A broker and a dealer with roles and rules, written from the specification and the documentation: slow and plain. */

import {
  CALL,
  CANCEL,
  ERROR,
  EVENT,
  GOODBYE,
  INTERRUPT,
  INVOCATION,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  YIELD,
} from '../../src/protocol/codes.ts'
import type { ModelConfig, Role } from './program.ts'
import { type Act, fits, grantOf, type Match, type ModelRule, ruleFor } from './rights.ts'

/** An id that the router draws: its value is known once the router has sent it. */
export class Drawn {
  value: number | undefined
}

/** Any text. */
export const SOME_TEXT = Symbol('some text')

export type Said = readonly unknown[]
type Options = Readonly<Record<string, unknown>>

/** The answer of the function that authorizes. */
export interface Answered {
  readonly late: boolean
  readonly allow: boolean
  readonly disclose?: 'always' | 'asked' | 'never' | boolean
  readonly trustlevel?: number
  readonly control?: boolean
  readonly cache?: boolean
}

function hashOf(text: string): number {
  let hash = 7
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0
  return Math.abs(hash)
}

/** What the function answers, now that its rights have changed `version` times. */
export function answerOf(
  config: ModelConfig,
  version: number,
  act: Act,
  uri: string,
  match: Match,
  forces: boolean,
): Answered {
  const rules = config.answers[version % 2 === 0 ? 0 : 1]
  const hash = hashOf(`${act} ${match} ${uri} ${version} ${forces}`)
  const disclose = ([undefined, undefined, true, false, 'asked', 'never'] as const)[hash % 6]
  return {
    late: hash % 10 < config.late,
    allow: grantOf(rules, act, uri, match) !== undefined,
    ...(disclose !== undefined && { disclose }),
    ...(hash % 7 === 0 && { trustlevel: hash % 5 }),
    ...(hash % 3 === 0 && { control: hash % 2 === 0 }),
    ...(hash % 11 < config.cached && { cache: true }),
  }
}

/** The option `trustlevel` of the router. */
export const levelOf = (uri: string): number => uri.length % 4

interface Granted {
  readonly disclose: 'always' | 'asked' | 'never'
  readonly level: number | undefined
  readonly control: boolean
}
type Verdict = Granted | 'denied'

interface Awaited {
  readonly verdict: Verdict
  readonly key: string | undefined
  readonly epoch: number
  conclude(verdict: Verdict): void
}

export class ModelSession {
  there = true
  invoked = 0
  /** The messages that it must receive. */
  heard: unknown[][] = []
  held: Said[] = []
  awaits: Awaited | undefined
  readonly id: number
  readonly authid: string
  readonly role: Role
  /** True if it announced the features of all its roles. */
  readonly able: boolean
  readonly realm: ModelRealm
  readonly calls = new Map<number, ModelCall>()
  readonly invocations = new Map<number, ModelCall>()
  /** The answers of procedures of the router that come after everything else. */
  late: { readonly request: number; readonly answer: string | unknown[] }[] = []
  /** Calls of procedures of the router that await a decision. */
  own = 0
  testaments: { topic: string; args: unknown; granted: Granted }[] = []

  constructor(id: number, authid: string, role: Role, able: boolean, realm: ModelRealm) {
    this.id = id
    this.authid = authid
    this.role = role
    this.able = able
    this.realm = realm
  }
}

export interface ModelSubscription {
  readonly id: Drawn
  readonly uri: string
  readonly match: Match
  readonly members: Set<ModelSession>
  /** The events of its history, if it has one. */
  readonly events: Kept[] | undefined
}

interface Kept {
  readonly topic: string
  readonly publication: Drawn
  readonly details: Options
  readonly args: unknown
  readonly options: Options
}

interface Place {
  readonly session: ModelSession
  readonly curious: boolean
}

export interface ModelRegistration {
  readonly id: Drawn
  readonly uri: string
  readonly match: Match
  readonly invoke: string
  readonly places: Place[]
  turn: number
}

interface ModelCall {
  readonly caller: ModelSession
  readonly request: number
  readonly callee: ModelSession
  readonly invocation: number
  readonly partial: boolean
  killed: boolean
}

interface Stored {
  readonly publication: Drawn
  readonly details: Options
  readonly args: unknown
  readonly options: Options
  readonly by: ModelSession
}

export interface ModelDropped {
  publications: number
  late: number
  partial: number
  cancels: number
  held: number
}

const NOT_AUTHORIZED = 'wamp.error.not_authorized'
const CONTROLLING = ['wamp.session.kill', 'wamp.subscription.remove_subscriber', 'wamp.registration.remove_callee']

const isReserved = (uri: string): boolean => uri === 'wamp' || uri.startsWith('wamp.')
const isInvalid = (uri: string, match: Match): boolean => match === 'exact' && uri.split('.').includes('')

const LISTS: readonly [name: string, of: (session: ModelSession) => unknown, includes: boolean][] = [
  ['exclude', ({ id }) => id, false],
  ['exclude_authid', ({ authid }) => authid, false],
  ['exclude_authrole', ({ role }) => role, false],
  ['eligible', ({ id }) => id, true],
  ['eligible_authid', ({ authid }) => authid, true],
  ['eligible_authrole', ({ role }) => role, true],
]

function inAudience(options: Options, session: ModelSession): boolean {
  return LISTS.every(([name, of, includes]) => {
    const list = options[name] as unknown[] | undefined
    return list === undefined || list.includes(of(session)) === includes
  })
}

export class ModelRealm {
  readonly sessions = new Map<number, ModelSession>()
  subscriptions: ModelSubscription[] = []
  registrations: ModelRegistration[] = []
  readonly retained = new Map<string, Stored[]>()
  readonly #config: ModelConfig
  readonly #world: ModelWorld

  constructor(config: ModelConfig, world: ModelWorld) {
    this.#config = config
    this.#world = world
    if (!config.history) return
    const [uri, match] = config.history
    this.subscriptions.push({ id: new Drawn(), uri, match, members: new Set(), events: [] })
  }

  get calls(): number {
    return [...this.sessions.values()].reduce((sum, { calls, own }) => sum + calls.size + own, 0)
  }

  join(session: ModelSession): void {
    this.sessions.set(session.id, session)
    const { id, authid, role } = session
    this.#meta('wamp.session.on_join', [
      { session: id, authid, authrole: role, authmethod: 'model', authprovider: 'static' },
    ])
  }

  /** A message of a session arrives. */
  receive(session: ModelSession, message: Said): void {
    if (session.awaits) session.held.push(message)
    else this.#handle(session, message)
  }

  /** The decision that a session awaits is made. */
  decided(session: ModelSession): void {
    const { awaits } = session
    if (!awaits) return
    session.awaits = undefined
    if (awaits.key !== undefined && awaits.epoch === this.#world.epoch) {
      this.#world.remembered.set(awaits.key, awaits.verdict)
    }
    awaits.conclude(awaits.verdict)
    while (!session.awaits && session.there) {
      const next = session.held.shift()
      if (!next) break
      this.#handle(session, next)
    }
    for (const { request, answer } of session.late.splice(0)) {
      session.own--
      if (!session.there) this.#world.dropped.late++
      else if (typeof answer === 'string') this.#refuse(session, CALL, request, answer)
      else session.heard.push([RESULT, request, {}, ...answer])
    }
  }

  leave(session: ModelSession): void {
    session.there = false
    this.#world.dropped.held += session.held.length
    session.held = []
    session.awaits = undefined
    this.sessions.delete(session.id)
    for (const each of this.subscriptions.slice()) if (each.members.has(session)) this.#unsubscribe(each, session)
    const served = this.registrations.filter(({ places }) => places.some((place) => place.session === session))
    // Nothing that waits for one of them may reach another.
    for (const each of served) this.#removePlace(each, session)
    for (const each of served) this.#unregistered(each, session)
    for (const call of [...session.calls.values()]) {
      this.#settle(call)
      if (!call.killed) this.#interrupt(call, 'killnowait')
    }
    for (const call of [...session.invocations.values()]) {
      this.#settle(call)
      this.#refuse(call.caller, CALL, call.request, 'wamp.error.canceled')
    }
    for (const { topic, args, granted } of session.testaments.splice(0)) {
      const verdict = this.#verdict(session, 'publish', topic, 'exact', {})
      // A decision that comes later is not awaited.
      const counts = verdict === 'later' ? granted : verdict
      if (counts === 'denied') this.#world.dropped.publications++
      else this.#publishAs(session, topic, {}, args, counts)
    }
    this.#meta('wamp.session.on_leave', [session.id, session.authid, session.role])
  }

  #handle(session: ModelSession, message: Said): void {
    const [code, request] = message as [number, number]
    switch (code) {
      case SUBSCRIBE: {
        const [, , options, uri] = message as [number, number, Options, string]
        const match = (options['match'] ?? 'exact') as Match
        this.#decide(session, 'subscribe', uri, match, options, (verdict) => {
          if (isInvalid(uri, match)) this.#refuse(session, SUBSCRIBE, request, 'wamp.error.invalid_uri')
          else if (verdict === 'denied') this.#refuse(session, SUBSCRIBE, request, NOT_AUTHORIZED)
          else this.#subscribe(session, request, options, uri, match)
        })
        return
      }
      case UNSUBSCRIBE: {
        const held = this.subscriptions.find(({ id, members }) => id === message[2] && members.has(session))
        if (!held) {
          this.#refuse(session, UNSUBSCRIBE, request, 'wamp.error.no_such_subscription')
          return
        }
        session.heard.push([UNSUBSCRIBED, request])
        this.#unsubscribe(held, session)
        return
      }
      case PUBLISH: {
        const [, , options, topic, args] = message as [number, number, Options, string, unknown]
        const conclude = (refusal: string | undefined, publication?: Drawn): void => {
          if (refusal === undefined) {
            if (options['acknowledge']) session.heard.push([PUBLISHED, request, publication])
          } else if (options['acknowledge']) this.#refuse(session, PUBLISH, request, refusal)
          else this.#world.dropped.publications++
        }
        if (isInvalid(topic, 'exact') || isReserved(topic)) {
          conclude('wamp.error.invalid_uri')
          return
        }
        this.#decide(session, 'publish', topic, 'exact', options, (verdict) => {
          if (verdict === 'denied') conclude(NOT_AUTHORIZED)
          else if (options['disclose_me'] && verdict.disclose === 'never') {
            conclude('wamp.error.option_disallowed.disclose_me')
          } else conclude(undefined, this.#publishAs(session, topic, options, args, verdict))
        })
        return
      }
      case REGISTER: {
        const [, , options, uri] = message as [number, number, Options, string]
        const match = (options['match'] ?? 'exact') as Match
        this.#decide(session, 'register', uri, match, options, (verdict) => {
          const refusal = isInvalid(uri, match)
            ? 'wamp.error.invalid_uri'
            : verdict === 'denied'
              ? NOT_AUTHORIZED
              : this.#register(session, request, options, uri, match, verdict)
          if (refusal) this.#refuse(session, REGISTER, request, refusal)
        })
        return
      }
      case UNREGISTER: {
        const served = this.registrations.find(({ id }) => id === message[2])
        if (!served?.places.some((place) => place.session === session)) {
          this.#refuse(session, UNREGISTER, request, 'wamp.error.no_such_registration')
          return
        }
        this.#removePlace(served, session)
        session.heard.push([UNREGISTERED, request])
        this.#unregistered(served, session)
        return
      }
      case CALL: {
        const [, , options, uri, args, kwargs] = message as [number, number, Options, string, unknown[], Options]
        this.#decide(session, 'call', uri, 'exact', options, (verdict) => {
          const refusal =
            verdict === 'denied' ? NOT_AUTHORIZED : this.#call(session, request, options, uri, args, kwargs, verdict)
          if (refusal) this.#refuse(session, CALL, request, refusal)
        })
        return
      }
      case CANCEL: {
        const mode = ((message[2] as Options)['mode'] ?? 'killnowait') as string
        const call = session.calls.get(request)
        if (!call || call.killed) {
          this.#world.dropped.cancels++
          return
        }
        if (mode === 'kill' && call.callee.able) {
          call.killed = true
          call.callee.heard.push([INTERRUPT, call.invocation, { mode: 'kill' }])
          return
        }
        this.#settle(call)
        if (mode !== 'skip') this.#interrupt(call, 'killnowait')
        this.#refuse(session, CALL, request, 'wamp.error.canceled')
        return
      }
      case YIELD:
      case ERROR: {
        const invocation = (code === YIELD ? message[1] : message[2]) as number
        const call = session.invocations.get(invocation)
        const partial = code === YIELD && (message[2] as Options)['progress'] === true
        if (!call) this.#world.dropped.late++
        else if (partial && !call.partial) this.#world.dropped.partial++
        else if (partial) call.caller.heard.push([RESULT, call.request, { progress: true }, message[3]])
        else {
          this.#settle(call)
          if (code === YIELD) call.caller.heard.push([RESULT, call.request, {}, message[3]])
          else call.caller.heard.push([ERROR, CALL, call.request, {}, message[4], message[5]])
        }
        return
      }
      case GOODBYE:
        session.heard.push([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
        this.leave(session)
        return
    }
  }

  #subscribe(session: ModelSession, request: number, options: Options, uri: string, match: Match): void {
    let held = this.subscriptions.find((each) => each.uri === uri && each.match === match)
    const first = !held || held.members.size === 0
    if (!held) {
      held = { id: new Drawn(), uri, match, members: new Set(), events: undefined }
      this.subscriptions.push(held)
    }
    const joins = !held.members.has(session)
    held.members.add(session)
    session.heard.push([SUBSCRIBED, request, held.id])
    if (joins && !isReserved(uri)) {
      const details = { id: held.id, created: SOME_TEXT, uri, match }
      if (first) this.#meta('wamp.subscription.on_create', [session.id, details])
      this.#meta('wamp.subscription.on_subscribe', [session.id, held.id])
    }
    if (!options['get_retained']) return
    for (const [topic, events] of this.retained) {
      if (!fits(topic, uri, match) || !this.#mayReceive(session, topic, match)) continue
      const event = events.find(
        ({ options: of, by }) => inAudience(of, session) && (by !== session || of['exclude_me'] === false),
      )
      if (!event) continue
      const details = { ...event.details, retained: true, ...(match !== 'exact' && { topic }) }
      session.heard.push([EVENT, held.id, event.publication, details, event.args])
    }
  }

  #unsubscribe(held: ModelSubscription, session: ModelSession): void {
    held.members.delete(session)
    if (held.members.size === 0 && !held.events) {
      this.subscriptions = this.subscriptions.filter((each) => each !== held)
    }
    if (isReserved(held.uri)) return
    this.#meta('wamp.subscription.on_unsubscribe', [session.id, held.id])
    if (held.members.size === 0) this.#meta('wamp.subscription.on_delete', [session.id, held.id])
  }

  #publishAs(session: ModelSession, topic: string, options: Options, args: unknown, granted: Granted): Drawn {
    const publication = new Drawn()
    const details = this.#identity('publisher', session, granted, options['disclose_me'] === true)
    if (options['retain'] && !options['exclude'] && !options['eligible']) {
      const stored = { publication, details, args, options, by: session }
      const restricted = LISTS.some(([name]) => options[name] !== undefined)
      const open = this.retained.get(topic)?.find(({ options: of }) => LISTS.every(([name]) => of[name] === undefined))
      this.retained.set(topic, restricted && open ? [stored, open] : [stored])
    }
    this.#event(topic, details, args, publication, options, (each) => {
      return inAudience(options, each) && (each !== session || options['exclude_me'] === false)
    })
    return publication
  }

  #event(
    topic: string,
    details: Options,
    args: unknown,
    publication: Drawn,
    options: Options,
    admits: (session: ModelSession) => boolean,
  ): void {
    for (const { id, uri, match, members, events } of this.subscriptions) {
      if (!fits(topic, uri, match)) continue
      const sent = match === 'exact' ? details : { ...details, topic }
      // An event for named sessions is not kept: sessions end.
      if (!options['exclude'] && !options['eligible'])
        events?.push({ topic, publication, details: sent, args, options })
      for (const each of members) {
        if (each.there && admits(each) && this.#mayReceive(each, topic, match)) {
          each.heard.push([EVENT, id, publication, sent, args])
        }
      }
    }
  }

  #meta(topic: string, args: unknown[]): void {
    this.#event(topic, {}, args, new Drawn(), {}, () => true)
  }

  #register(
    session: ModelSession,
    request: number,
    options: Options,
    uri: string,
    match: Match,
    granted: Granted,
  ): string | undefined {
    const { invoke = 'single', force_reregister, disclose_caller } = options as Record<string, string>
    if (isReserved(uri)) return 'wamp.error.invalid_uri'
    if (disclose_caller && granted.disclose === 'never') return 'wamp.error.option_disallowed.disclose_me'
    let served = this.registrations.find((each) => each.uri === uri && each.match === match)
    if (served && force_reregister) {
      const own = served.places.every((place) => place.session.authid === session.authid)
      if (!own && !granted.control) return NOT_AUTHORIZED
      for (const place of served.places.slice()) this.#revokePlace(served, place.session, 'wamp.error.unregistered')
      served = undefined
    }
    if (served && (served.invoke === 'single' || served.invoke !== invoke)) return 'wamp.error.procedure_already_exists'
    const first = !served
    if (!served) {
      served = { id: new Drawn(), uri, match, invoke, places: [], turn: 0 }
      this.registrations.push(served)
    }
    const joins = !served.places.some((place) => place.session === session)
    if (joins) served.places.push({ session, curious: disclose_caller !== undefined })
    session.heard.push([REGISTERED, request, served.id])
    if (!joins) return undefined
    if (first) {
      const details = { id: served.id, created: SOME_TEXT, uri, match, invoke }
      this.#meta('wamp.registration.on_create', [session.id, details])
    }
    this.#meta('wamp.registration.on_register', [session.id, served.id])
    return undefined
  }

  #removePlace(served: ModelRegistration, session: ModelSession): void {
    const at = served.places.findIndex((place) => place.session === session)
    served.places.splice(at, 1)
    if (at < served.turn) served.turn--
    if (served.places.length === 0) this.registrations = this.registrations.filter((each) => each !== served)
  }

  #unregistered(served: ModelRegistration, session: ModelSession): void {
    this.#meta('wamp.registration.on_unregister', [session.id, served.id])
    if (served.places.length === 0) this.#meta('wamp.registration.on_delete', [session.id, served.id])
  }

  #revokePlace(served: ModelRegistration, session: ModelSession, reason?: string): void {
    this.#removePlace(served, session)
    if (session.able) session.heard.push([UNREGISTERED, 0, { registration: served.id, ...(reason && { reason }) }])
    this.#unregistered(served, session)
  }

  /** Returns the reason of a refusal. */
  #call(
    session: ModelSession,
    request: number,
    options: Options,
    uri: string,
    args: unknown[],
    kwargs: Options,
    granted: Granted,
  ): string | undefined {
    if (isReserved(uri)) {
      if (CONTROLLING.includes(uri) && !granted.control) return NOT_AUTHORIZED
      return this.#own(session, request, uri, args, kwargs)
    }
    if (isInvalid(uri, 'exact')) return 'wamp.error.invalid_uri'
    const served = this.#serving(uri)
    if (!served) return 'wamp.error.no_such_procedure'
    if (options['disclose_me'] && granted.disclose === 'never') return 'wamp.error.option_disallowed.disclose_me'
    const { session: callee, curious } = this.#choose(served, args[0])
    const partial = options['receive_progress'] === true && callee.able
    const invocation = ++callee.invoked
    const call: ModelCall = { caller: session, request, callee, invocation, partial, killed: false }
    session.calls.set(request, call)
    callee.invocations.set(invocation, call)
    const details = {
      ...(served.match !== 'exact' && { procedure: uri }),
      ...(partial && { receive_progress: true }),
      ...this.#identity('caller', session, granted, options['disclose_me'] === true || curious),
    }
    callee.heard.push([INVOCATION, invocation, served.id, details, args])
    return undefined
  }

  /** The procedures of the router. */
  #own(session: ModelSession, request: number, uri: string, args: unknown[], kwargs: Options): string | undefined {
    const done = (...results: unknown[]): undefined => {
      session.heard.push(results.length > 0 ? [RESULT, request, {}, results] : [RESULT, request, {}])
    }
    const other = this.sessions.get((args[1] ?? args[0]) as number)
    switch (uri) {
      case 'wamp.session.count':
        return done(this.sessions.size)
      case 'wamp.session.kill':
        if (!other || other === session) return 'wamp.error.no_such_session'
        other.heard.push([GOODBYE, {}, 'wamp.close.killed'])
        this.leave(other)
        return done()
      case 'wamp.subscription.remove_subscriber': {
        const held = this.subscriptions.find(({ id }) => id === args[0])
        if (!held) return 'wamp.error.no_such_subscription'
        if (!other) return 'wamp.error.no_such_session'
        if (!held.members.has(other)) return 'wamp.error.no_such_subscription'
        if (other.able) other.heard.push([UNSUBSCRIBED, 0, { subscription: held.id }])
        this.#unsubscribe(held, other)
        return done()
      }
      case 'wamp.registration.remove_callee': {
        const served = this.registrations.find(({ id }) => id === args[0])
        if (!served) return 'wamp.error.no_such_registration'
        if (!other) return 'wamp.error.no_such_session'
        if (!served.places.some((place) => place.session === other)) return 'wamp.error.no_such_registration'
        this.#revokePlace(served, other)
        return done()
      }
      case 'wamp.session.add_testament': {
        const [topic, data] = args as [string, unknown]
        const options = kwargs['publish_options'] as Options
        return this.#further(
          session,
          request,
          this.#verdict(session, 'publish', topic, 'exact', options),
          (granted) => {
            session.testaments.push({ topic, args: data, granted })
            return []
          },
        )
      }
      case 'wamp.subscription.get_events': {
        const asked = this.subscriptions.find(({ id }) => id === args[0])
        if (!asked) return 'wamp.error.no_such_subscription'
        if (!asked.events) return 'wamp.error.history_unavailable'
        const { uri: topic, match, events } = asked
        return this.#further(session, request, this.#verdict(session, 'subscribe', topic, match, {}), () => {
          const visible = events.filter(
            (event) => inAudience(event.options, session) && this.#mayReceive(session, event.topic, match),
          )
          const shown = visible.map(({ publication, details, args: data }) => {
            return { timestamp: SOME_TEXT, subscription: asked.id, publication, details, args: data }
          })
          return shown.length > 0 ? [shown, { is_limit_reached: false }] : [[], { is_limit_reached: false }]
        })
      }
      default:
        return 'wamp.error.no_such_procedure'
    }
  }

  /** Answers a call of the router's own procedures that needs one more decision. */
  #further(
    session: ModelSession,
    request: number,
    verdict: Verdict | 'later',
    answer: (granted: Granted) => unknown[],
  ): string | undefined {
    const decided = (counts: Verdict): string | unknown[] => (counts === 'denied' ? NOT_AUTHORIZED : answer(counts))
    if (verdict !== 'later') {
      const found = decided(verdict)
      if (typeof found === 'string') return found
      session.heard.push([RESULT, request, {}, ...found])
      return undefined
    }
    const { awaits } = session
    if (!awaits) throw new Error('the session awaits nothing')
    session.own++
    session.awaits = { ...awaits, conclude: (later) => void session.late.push({ request, answer: decided(later) }) }
    return undefined
  }

  #serving(uri: string): ModelRegistration | undefined {
    const rank = { exact: 2, prefix: 1, wildcard: 0 }
    const literals = (each: ModelRegistration): string =>
      each.uri
        .split('.')
        .map((word) => (word === '' ? 0 : 1))
        .join('')
    const [best] = this.registrations
      .filter((each) => fits(uri, each.uri, each.match))
      .sort((one, other) => {
        if (one.match !== other.match) return rank[other.match] - rank[one.match]
        if (one.match === 'prefix') return other.uri.length - one.uri.length
        return literals(one) < literals(other) ? 1 : -1
      })
    return best
  }

  #choose(served: ModelRegistration, tag: unknown): Place {
    const { places, invoke } = served
    if (invoke === 'random') {
      // The router draws; any of its callees is right.
      const drawn = places.find(({ session }) => this.#world.receiverOf(tag) === session.id)
      return drawn ?? (places[0] as Place)
    }
    if (invoke === 'roundrobin') {
      const at = served.turn % places.length
      served.turn = at + 1
      return places[at] as Place
    }
    return (invoke === 'last' ? places.at(-1) : places[0]) as Place
  }

  #settle({ caller, request, callee, invocation }: ModelCall): void {
    caller.calls.delete(request)
    callee.invocations.delete(invocation)
  }

  #interrupt({ callee, invocation }: ModelCall, mode: string): void {
    if (callee.there && callee.able) callee.heard.push([INTERRUPT, invocation, { mode }])
  }

  #refuse(session: ModelSession, type: number, request: number, uri: string): void {
    session.heard.push([ERROR, type, request, {}, uri, [SOME_TEXT]])
  }

  #identity(prefix: string, { id, authid, role }: ModelSession, { disclose, level }: Granted, asked: boolean): Options {
    const shown = disclose === 'always' || (disclose === 'asked' && asked)
    return {
      ...(shown && { [prefix]: id, [`${prefix}_authid`]: authid, [`${prefix}_authrole`]: role }),
      ...(level !== undefined && { trustlevel: level }),
    }
  }

  #rules(role: Role): readonly ModelRule[] | 'function' | 'everything' | undefined {
    const { kind, rules } = this.#config
    if (kind === 'open') return 'everything'
    if (kind === 'function' || role === 'asked') return 'function'
    return role === 'unlisted' ? undefined : rules[role]
  }

  /** A pattern receives only what its role may subscribe to exactly; a function has decided about the whole pattern. */
  #mayReceive({ role }: ModelSession, topic: string, match: Match): boolean {
    const rules = this.#rules(role)
    if (match === 'exact' || typeof rules === 'string' || !rules) return true
    return ruleFor(rules, topic)?.allow.subscribe === true
  }

  #decide(
    session: ModelSession,
    act: Act,
    uri: string,
    match: Match,
    options: Options,
    conclude: (verdict: Verdict) => void,
  ): void {
    // The router refuses an invalid URI by itself.
    const verdict = isInvalid(uri, match)
      ? this.#granted({}, act, uri)
      : this.#verdict(session, act, uri, match, options)
    if (verdict !== 'later') conclude(verdict)
    else if (session.awaits) session.awaits = { ...session.awaits, conclude }
  }

  /** The verdict, unless the session has to wait for it. */
  #verdict(session: ModelSession, act: Act, uri: string, match: Match, options: Options): Verdict | 'later' {
    const rules = this.#rules(session.role)
    if (rules === undefined) return 'denied'
    if (rules === 'everything') return this.#granted({}, act, uri)
    if (rules !== 'function') {
      const rule = grantOf(rules, act, uri, match)
      if (!rule) return 'denied'
      const shown = (act === 'call' && rule.disclose?.caller) || (act === 'publish' && rule.disclose?.publisher)
      return this.#granted({ ...(shown && { disclose: true }), control: rule.control === true }, act, uri)
    }
    const forces = options['force_reregister'] === true
    const key = [session.id, act, uri, match, forces].join(' ')
    const { remembered, version, epoch } = this.#world
    const known = remembered.get(key)
    if (known) return known
    const answer = answerOf(this.#config, version, act, uri, match, forces)
    const verdict = answer.allow ? this.#granted(answer, act, uri) : 'denied'
    if (answer.late) {
      if (session.there) session.awaits = { verdict, key: answer.cache ? key : undefined, epoch, conclude: () => {} }
      return 'later'
    }
    if (answer.cache) remembered.set(key, verdict)
    return verdict
  }

  #granted(said: Partial<Answered>, act: Act, uri: string): Granted {
    const { disclose, levels, controlOthers } = this.#config
    const told = said.disclose === true ? 'always' : said.disclose === false ? 'never' : said.disclose
    const leveled = levels && (act === 'call' || act === 'publish')
    return {
      disclose: told ?? disclose,
      level: said.trustlevel ?? (leveled ? levelOf(uri) : undefined),
      control: said.control === true || controlOthers,
    }
  }
}

/** The realms of one router, and what they share. */
export class ModelWorld {
  readonly realms: ReadonlyMap<string, ModelRealm>
  readonly remembered = new Map<string, Verdict>()
  readonly dropped: ModelDropped = { publications: 0, late: 0, partial: 0, cancels: 0, held: 0 }
  /** How often the rights behind the function have changed, and how often the router was told. */
  version = 0
  epoch = 0
  /** The session that received the invocation with a tag from the router. */
  receiverOf: (tag: unknown) => number | undefined = () => undefined

  constructor(config: ModelConfig, realms: readonly string[]) {
    this.realms = new Map(realms.map((name) => [name, new ModelRealm(config, this)]))
  }

  forget(): void {
    this.remembered.clear()
    this.epoch++
  }
}
