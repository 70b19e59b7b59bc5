/**
 * `npm run model`: 10,000 random programs of sessions with roles and rules, on a router and on a plain model of it: every
 * session must receive exactly what the model's does, and the counters must be equal. A failing program is reduced to the
 * steps that matter, and its seed is printed; `-- --seed 17` runs that one alone, `-- --programs 500` fewer of them.
 */

import { parseArgs } from 'node:util'
import type { AuthMethod } from '../../src/auth/contract.ts'
import {
  ABORT,
  CALL,
  CANCEL,
  ERROR,
  EVENT,
  GOODBYE,
  HELLO,
  INVOCATION,
  PUBLISH,
  REGISTER,
  SUBSCRIBE,
  UNREGISTER,
  UNSUBSCRIBE,
  WELCOME,
  YIELD,
} from '../../src/protocol/codes.ts'
import type { Authorize } from '../../src/router/rights/decide.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { json } from '../../src/serializer/json.ts'
import { framed } from '../../src/session/framed.ts'
import { Peer } from '../router/peer.ts'
import { answerOf, Drawn, levelOf, type ModelRealm, ModelSession, ModelWorld, type Said, SOME_TEXT } from './model.ts'
import { type ModelConfig, type ModelStep, type Program, REALMS, type Role, randomProgram } from './program.ts'
import type { Act } from './rights.ts'

const ABLE = {
  caller: { features: { call_canceling: true, progressive_call_results: true } },
  callee: { features: { call_canceling: true, progressive_call_results: true, registration_revocation: true } },
  publisher: { features: {} },
  subscriber: { features: { subscription_revocation: true } },
}
const PLAIN = { caller: {}, callee: {}, publisher: {}, subscriber: {} }

/** The role and authid that HELLO names, without a proof. */
const byName: AuthMethod = {
  name: 'model',
  authenticate: ({ authid = '', authextra }) => ({ authid, authrole: String(authextra['role']) }),
}

const GOODBYE_AND_OUT = 'wamp.close.goodbye_and_out'
const REPLY_TO_KILL: Said = [GOODBYE, {}, GOODBYE_AND_OUT]

class Mismatch extends Error {}

interface Actor {
  readonly peer: Peer
  readonly session: ModelSession
  requests: number
  readonly called: number[]
}

/** One program on a router and on the model. */
class Run {
  readonly #router: Router
  readonly #model: ModelWorld
  readonly #actors: (Actor | undefined)[] = []
  /** Actors that have received something since the last comparison, even if they have left. */
  #watched: Actor[] = []
  /** Answers of the function that are awaited, by session. */
  readonly #pending = new Map<number, () => void>()
  /** The values of drawn ids, each of which stands for one thing. */
  readonly #drawn = new Map<number, Drawn>()
  #heard = new Map<Actor, Said[]>()
  #tag = 0

  constructor(config: ModelConfig) {
    this.#model = new ModelWorld(config, REALMS)
    this.#model.receiverOf = (tag) => {
      for (const [{ session }, messages] of this.#heard) {
        if (messages.some(([code, , , , args]) => code === INVOCATION && (args as unknown[])[0] === tag))
          return session.id
      }
      return undefined
    }
    const { kind, rules, disclose, levels, controlOthers, history } = config
    const authorize: Authorize = ({ session, action, uri, match, options: given }) => {
      const forces = given['force_reregister'] === true
      const { late, ...answer } = answerOf(config, this.#model.version, action as Act, uri, match, forces)
      if (!late) return answer
      return new Promise((resolve) => this.#pending.set(session.id, () => resolve(answer)))
    }
    const listed = Object.entries(rules).map(([name, permissions]) => ({ name, permissions }))
    const options: RouterOptions = {
      realms: REALMS,
      auth: [byName],
      loginLimits: false,
      disclose,
      controlOthers,
      ...(history && { history: [{ uri: history[0], match: history[1], limit: 1000 }] }),
      ...(levels && { trustlevel: (_action, uri) => levelOf(uri) }),
      ...(kind === 'function' && { authorize }),
      ...(kind === 'roles' && { authorize: [...listed, { name: 'asked', authorizer: authorize }] }),
    }
    this.#router = new Router(options)
  }

  async step(step: ModelStep): Promise<void> {
    const unordered = await this.#act(step)
    this.#compare(unordered === true)
  }

  /** Everybody leaves: nothing may stay. */
  end(): void {
    for (const actor of this.#actors) if (actor) this.#leave(actor, 'loss')
    this.#compare(true)
    const { sessions, subscriptions, registrations, calls, testaments, bytes } = this.#router.stats()
    const left = { sessions, subscriptions, registrations, calls, testaments, links: this.#router.links }
    const kept = bytes.total - bytes.retained - bytes.histories
    if (Object.values(left).some((count) => count !== 0) || kept !== 0) {
      throw new Mismatch(`at the end there are ${JSON.stringify({ ...left, bytes: kept })}`)
    }
  }

  close(): void {
    for (const actor of this.#actors) actor?.peer.lose()
  }

  /** True if the specification leaves the order of the messages open. */
  async #act(step: ModelStep): Promise<boolean | undefined> {
    if (step.do === 'change') {
      this.#model.version++
      if (step.flags['forget']) {
        this.#model.forget()
        this.#router.forgetDecisions()
      }
      return
    }
    if (step.do === 'decide') return this.#decide(step.pick)
    const actor = this.#actors[step.slot]
    if (step.do === 'join') {
      if (!actor) this.#join(step)
      return
    }
    if (!actor) return
    if (step.do === 'leave') {
      this.#leave(actor, step.word)
      return true
    }
    const message = this.#messageOf(step, actor)
    if (!message) return
    this.#say(actor, message)
    return message[0] === CALL && message[3] === 'wamp.session.kill'
  }

  #join({ slot, word, flags, pick }: ModelStep): void {
    const peer = new Peer(pick % 2 === 0 ? { prepares: true } : {})
    this.#router.attach(framed(peer, json))
    const name = flags['two'] ? 'two' : 'one'
    const able = !flags['plain']
    const authid = `person ${pick}`
    const roles = able ? ABLE : PLAIN
    const [welcome] = peer.says([HELLO, name, { roles, authmethods: ['model'], authid, authextra: { role: word } }])
    if (welcome?.[0] !== WELCOME) throw new Mismatch(`HELLO was answered with ${JSON.stringify(welcome)}`)
    const realm = this.#model.realms.get(name) as ModelRealm
    const session = new ModelSession(welcome[1] as number, authid, word as Role, able, realm)
    const actor: Actor = { peer, session, requests: 0, called: [] }
    this.#actors[slot] = actor
    this.#watched.push(actor)
    this.#collect()
    realm.join(session)
  }

  #leave(actor: Actor, how: string): void {
    const { peer, session } = actor
    if (how === 'GOODBYE') {
      this.#say(actor, [GOODBYE, {}, 'wamp.close.close_realm'])
      return
    }
    if (how === 'loss') peer.lose()
    else if (how === 'ABORT') peer.says([ABORT, {}, 'a.enough'])
    else {
      this.#keep(actor, peer.says('[]'))
      session.heard.push([ABORT, { message: SOME_TEXT }, 'wamp.error.protocol_violation'])
    }
    this.#collect()
    session.realm.leave(session)
  }

  /** Sends a message, and hands it to the model. */
  #say(actor: Actor, message: Said): void {
    const wire = message.map((item) => this.#known(item))
    this.#keep(actor, actor.peer.says(wire))
    this.#collect()
    actor.session.realm.receive(actor.session, message)
  }

  async #decide(pick: number): Promise<boolean | undefined> {
    const waiting = this.#actors.filter((actor) => actor?.session.awaits !== undefined)
    const actor = waiting[pick % (waiting.length || 1)]
    if (!actor) return undefined
    const { session } = actor
    const resolve = this.#pending.get(session.id)
    if (!resolve) throw new Mismatch(`session ${session.id} awaits a decision, but the function was not asked`)
    this.#pending.delete(session.id)
    resolve()
    for (let turn = 0; turn < 12; turn++) await undefined
    this.#collect()
    session.realm.decided(session)
    return session.there ? undefined : true
  }

  /** The message of a step; undefined if there is nothing that it could be about. */
  #messageOf({ do: kind, pick, uri, match, word, flags, others }: ModelStep, actor: Actor): Said | undefined {
    const { session, called } = actor
    const { realm } = session
    const subscriptions = realm.subscriptions.filter(({ id }) => id.value !== undefined)
    const among = <Item>(items: readonly Item[]): Item | undefined => items[pick % (items.length || 1)]
    // Mostly one of its own.
    const amongOwn = <Item>(items: readonly Item[], isOwn: (item: Item) => boolean): Item | undefined =>
      (pick % 4 > 0 ? among(items.filter(isOwn)) : undefined) ?? among(items)
    const isHere = (place: { readonly session: ModelSession }): boolean => place.session === session
    const flagged = (...names: string[]): object =>
      Object.fromEntries(names.filter((name) => flags[name]).map((name) => [name, true]))
    const matched = match !== 'exact' && { match }
    const next = (): number => ++actor.requests
    const tagged = (): [number] => [++this.#tag]
    const sessionOf = (slot: number | undefined): ModelSession | undefined => this.#actors[slot ?? 0]?.session
    switch (kind) {
      case 'subscribe':
        return [SUBSCRIBE, next(), { ...matched, ...flagged('get_retained') }, uri]
      case 'unsubscribe':
        return [UNSUBSCRIBE, next(), amongOwn(subscriptions, ({ members }) => members.has(session))?.id ?? 1]
      case 'register': {
        const options = { ...matched, ...(word !== 'single' && { invoke: word }) }
        return [REGISTER, next(), { ...options, ...flagged('force_reregister', 'disclose_caller') }, uri]
      }
      case 'unregister':
        return [UNREGISTER, next(), amongOwn(realm.registrations, ({ places }) => places.some(isHere))?.id ?? 1]
      case 'call': {
        const request = next()
        called.push(request)
        return [CALL, request, flagged('disclose_me', 'receive_progress'), uri, tagged()]
      }
      case 'cancel': {
        const request = called.at(-1 - (pick % 4))
        return request === undefined ? undefined : [CANCEL, request, word ? { mode: word } : {}]
      }
      case 'answer': {
        // Mostly one that is under way.
        const under = among([...session.invocations.keys()])
        const invocation = pick % 5 > 0 && under !== undefined ? under : Math.max(1, session.invoked - (pick % 3))
        if (session.invoked === 0) return undefined
        if (word === 'error') return [ERROR, INVOCATION, invocation, {}, 'a.failed', tagged()]
        return [YIELD, invocation, word === 'partial' ? { progress: true } : {}, tagged()]
      }
      case 'publish': {
        const named = others.flatMap((slot) => sessionOf(slot) ?? [])
        const list = word.endsWith('authid')
          ? named.map(({ authid }) => authid)
          : word.endsWith('authrole')
            ? named.map(({ role }) => role)
            : named.map(({ id }) => id)
        const options = {
          ...flagged('acknowledge', 'disclose_me', 'retain'),
          ...(flags['me'] && { exclude_me: false }),
          ...(word && { [word]: list }),
        }
        return [PUBLISH, next(), options, uri, tagged()]
      }
      case 'meta': {
        const id = sessionOf(others[0])?.id ?? 1
        const call = (procedure: string, ...args: unknown[]): Said => [CALL, next(), {}, procedure, args]
        switch (word) {
          case 'count':
            return call('wamp.session.count')
          case 'kill':
            return call('wamp.session.kill', id)
          case 'remove_subscriber':
            return call('wamp.subscription.remove_subscriber', among(subscriptions)?.id ?? 1, id)
          case 'get_events': {
            const kept = pick % 8 > 0 ? subscriptions.find(({ events }) => events) : among(subscriptions)
            return call('wamp.subscription.get_events', kept?.id ?? 1)
          }
          case 'remove_callee':
            return call('wamp.registration.remove_callee', among(realm.registrations)?.id ?? 1, id)
          case 'add_testament':
            return [
              ...call(
                'wamp.session.add_testament',
                /^[abc]/.test(uri) && !uri.includes('..') ? uri : 'a.b',
                tagged(),
                {},
              ),
              { publish_options: {} },
            ]
          default:
            return call('wamp.mine')
        }
      }
      default:
        return undefined
    }
  }

  /** The value of a drawn id, wherever it stands. */
  #known(item: unknown): unknown {
    if (item instanceof Drawn) return item.value ?? 1
    return Array.isArray(item) ? item.map((each) => this.#known(each)) : item
  }

  #keep(actor: Actor, messages: readonly Said[]): void {
    const kept = this.#heard.get(actor)
    if (kept) kept.push(...messages)
    else this.#heard.set(actor, [...messages])
  }

  /** Takes what all peers have received. A killed one leaves. */
  #collect(): void {
    for (const actor of this.#watched) {
      // Says nothing, but closes its end once it has been dismissed.
      const messages = actor.peer.says()
      this.#keep(actor, messages)
      if (messages.some(([code, , reason]) => code === GOODBYE && reason === 'wamp.close.killed')) {
        this.#keep(actor, actor.peer.says(REPLY_TO_KILL))
      }
    }
  }

  #compare(unordered: boolean): void {
    for (const actor of this.#watched) {
      const { session } = actor
      this.#match(session, session.heard.splice(0), this.#heard.get(actor) ?? [], unordered)
      const closed = actor.peer.end !== undefined
      if (closed === session.there) throw new Mismatch(`session ${session.id} ${closed ? 'was' : 'was not'} closed`)
    }
    this.#heard = new Map()
    for (const [slot, actor] of this.#actors.entries())
      if (actor && !actor.session.there) this.#actors[slot] = undefined
    this.#watched = this.#watched.filter(({ session }) => session.there)
    const stats = this.#router.stats()
    const realms = [...this.#model.realms.values()]
    const sum = (of: (realm: (typeof realms)[number]) => number): number =>
      realms.reduce((total, realm) => total + of(realm), 0)
    const expected = {
      sessions: sum(({ sessions }) => sessions.size),
      subscriptions: sum(({ subscriptions }) => subscriptions.filter(({ members }) => members.size > 0).length),
      history: sum(({ subscriptions }) => subscriptions.reduce((all, { events = [] }) => all + events.length, 0)),
      registrations: sum(({ registrations }) => registrations.length),
      calls: sum(({ calls }) => calls),
      retained: sum(({ retained }) => retained.size),
      testaments: sum(({ sessions }) =>
        [...sessions.values()].reduce((all, { testaments }) => all + testaments.length, 0),
      ),
      ...this.#model.dropped,
      observations: 0,
      sessionsDropped: 0,
    }
    const { sessions, subscriptions, history, registrations, calls, retained, testaments, dropped } = stats
    const { publications, late, partial, cancels, held, observations, sessions: sessionsDropped } = dropped
    const actual = {
      sessions,
      subscriptions,
      history,
      registrations,
      calls,
      retained,
      testaments,
      publications,
      late,
      partial,
      cancels,
      held,
      observations,
      sessionsDropped,
    }
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      throw new Mismatch(`the counters are\n  ${JSON.stringify(actual)}, they should be\n  ${JSON.stringify(expected)}`)
    }
  }

  /** Events may come in any order among themselves. */
  #match(session: ModelSession, expected: Said[], actual: readonly Said[], unordered: boolean): void {
    const fail = (what: string): never => {
      const shown = (messages: readonly Said[]): string =>
        messages.map((each) => `\n    ${JSON.stringify(each, plain)}`).join('')
      throw new Mismatch(
        `${session.role} session ${session.id} ${what}; it received${shown(actual)}\n  and should have received${shown(all)}`,
      )
    }
    const all = expected.slice()
    for (const message of actual) {
      let at = expected.findIndex((each) => this.#equals(each, message))
      if (at > 0 && !unordered && expected.slice(0, at + 1).some(([code]) => code !== EVENT)) at = -1
      if (at < 0) fail(`received ${JSON.stringify(message)}`)
      this.#bind(expected[at], message)
      expected.splice(at, 1)
    }
    if (expected.length > 0) fail(`did not receive ${JSON.stringify(expected[0], plain)}`)
  }

  #equals(expected: unknown, actual: unknown): boolean {
    if (expected === SOME_TEXT) return typeof actual === 'string'
    if (expected instanceof Drawn) {
      if (expected.value !== undefined) return expected.value === actual
      return typeof actual === 'number' && !this.#drawn.has(actual)
    }
    if (typeof expected !== 'object' || expected === null) return expected === actual
    if (typeof actual !== 'object' || actual === null || Array.isArray(expected) !== Array.isArray(actual)) return false
    const [wanted, found] = [expected as Record<string, unknown>, actual as Record<string, unknown>]
    const keys = Object.keys(wanted)
    return keys.length === Object.keys(found).length && keys.every((key) => this.#equals(wanted[key], found[key]))
  }

  #bind(expected: unknown, actual: unknown): void {
    if (expected instanceof Drawn) {
      expected.value = actual as number
      this.#drawn.set(expected.value, expected)
    } else if (typeof expected === 'object' && expected !== null) {
      for (const [key, value] of Object.entries(expected)) this.#bind(value, (actual as Record<string, unknown>)[key])
    }
  }
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Drawn) return value.value ?? '<id>'
  return value === SOME_TEXT ? '<text>' : value
}

/** The difference between the router and the model, if there is one, and the step that showed it. */
async function differenceIn({
  config,
  steps,
}: Program): Promise<{ readonly at: number; readonly text: string } | undefined> {
  const run = new Run(config)
  let at = 0
  try {
    for (; at < steps.length; at++) await run.step(steps[at] as ModelStep)
    run.end()
    return undefined
  } catch (error) {
    return { at, text: error instanceof Mismatch ? error.message : String((error as Error).stack) }
  } finally {
    run.close()
  }
}

/** Fewer steps that still show a difference. */
async function reduced({ config, steps }: Program, at: number): Promise<Program> {
  let fewest = steps.slice(0, at + 1)
  for (let size = fewest.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < fewest.length; ) {
      const shorter = [...fewest.slice(0, from), ...fewest.slice(from + size)]
      if (await differenceIn({ config, steps: shorter })) fewest = shorter
      else from += size
    }
  }
  return { config, steps: fewest }
}

async function report(seed: number, program: Program, at: number): Promise<void> {
  const fewer = await reduced(program, at)
  const { text = '' } = (await differenceIn(fewer)) ?? {}
  const { config, steps } = fewer
  const lists = Object.values(config.rules).flat().length + config.answers.flat().length
  console.error(`\nseed ${seed} fails: npm run model -- --seed ${seed}\n`)
  console.error(`${lists} rules: ${JSON.stringify(config)}\n`)
  for (const step of steps) console.error(`  ${JSON.stringify(step)}`)
  console.error(`\n  ${text}`)
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    programs: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
  },
})
const first = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.programs) : 1
const began = performance.now()
let failed = 0
let steps = 0
for (let seed = first; seed < first + count; seed++) {
  const program = randomProgram(seed)
  steps += program.steps.length
  const difference = await differenceIn(program)
  if (!difference) continue
  failed++
  // The first ones tell enough.
  if (failed <= 3) await report(seed, program, difference.at)
  else if (failed < 20) console.error(`seed ${seed} fails`)
}
const seconds = ((performance.now() - began) / 1000).toFixed(1)
console.log(`${steps} steps`)
if (failed > 0) console.log(`  ${failed} failed`)
console.log(`  ${count - failed} passed (${seconds}s)`)
process.exitCode = failed > 0 ? 1 : 0
