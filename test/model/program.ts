/** Random programs: the configuration of a router, and the steps of its sessions. Everything is plain data. */

import type { Act, Match, ModelRule } from './rights.ts'

export const ROLES = ['admin', 'user', 'guest', 'asked', 'unlisted'] as const
export type Role = (typeof ROLES)[number]
export const SLOTS = 6
export const REALMS = ['one', 'two'] as const

/** The rules of the listed roles; `asked` is decided by a function, whose answers follow one of two lists. */
export interface ModelConfig {
  /** No rules at all, a function for everybody, or rules by role. */
  readonly kind: 'open' | 'function' | 'roles'
  readonly rules: Readonly<Record<'admin' | 'user' | 'guest', readonly ModelRule[]>>
  readonly answers: readonly [readonly ModelRule[], readonly ModelRule[]]
  /** Of ten answers of the function, how many come later, and how many are remembered. */
  readonly late: number
  readonly cached: number
  readonly controlOthers: boolean
  readonly disclose: 'asked' | 'always' | 'never'
  readonly levels: boolean
  /** The topics, or pattern of topics, whose events are kept. */
  readonly history: readonly [uri: string, match: Match] | undefined
}

export interface ModelStep {
  readonly do:
    | 'join'
    | 'leave'
    | 'subscribe'
    | 'unsubscribe'
    | 'register'
    | 'unregister'
    | 'call'
    | 'meta'
    | 'cancel'
    | 'answer'
    | 'publish'
    | 'decide'
    | 'change'
  /** The acting session, by its place. */
  readonly slot: number
  /** Chooses among what is there when the step runs. */
  readonly pick: number
  readonly uri: string
  readonly match: Match
  /** The word that the kind of step needs: a role, a way to leave, a policy, a mode, a procedure. */
  readonly word: string
  readonly flags: Readonly<Record<string, boolean>>
  /** Places of other sessions. */
  readonly others: readonly number[]
}

export interface Program {
  readonly config: ModelConfig
  readonly steps: readonly ModelStep[]
}

export type Draw = (below: number) => number

/** A reproducible generator of random numbers (mulberry32). */
export function drawing(seed: number): Draw {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const EXACT = ['a', 'a.b', 'a.c', 'a.b.c', 'b.b', 'b.c', 'ab', 'c.a.c']
const PATTERNS: readonly (readonly [string, Match])[] = [
  ['', 'prefix'],
  ['a', 'prefix'],
  ['a.', 'prefix'],
  ['a.b', 'prefix'],
  ['b.', 'prefix'],
  ['c.a', 'prefix'],
  ['a.', 'wildcard'],
  ['.b', 'wildcard'],
  ['.c', 'wildcard'],
  ['..c', 'wildcard'],
  ['a..c', 'wildcard'],
  ['.a.', 'wildcard'],
  ['a.b', 'wildcard'],
  ['', 'wildcard'],
]
/** The meta API, whose topics and procedures rules are about as well. */
const META_TOPICS: readonly (readonly [string, Match])[] = [
  ['wamp.session.on_join', 'exact'],
  ['wamp.session.on_leave', 'exact'],
  ['wamp.subscription.on_create', 'exact'],
  ['wamp.', 'prefix'],
  ['wamp.session.', 'prefix'],
  ['wamp..on_create', 'wildcard'],
  ['..', 'wildcard'],
]
const META_RULES: readonly (readonly [string, Match])[] = [
  ['wamp.', 'prefix'],
  ['wamp.session.', 'prefix'],
  ['wamp.session.kill', 'exact'],
  ['wamp.session.on_join', 'exact'],
  ['wamp..on_create', 'wildcard'],
]
export const META = [
  'count',
  'count',
  'kill',
  'remove_subscriber',
  'remove_callee',
  'add_testament',
  'unknown',
] as const

/** What a program is mostly about. */
const THEMES = ['everything', 'everything', 'kept events', 'shared registrations', 'a function that decides'] as const

export function randomProgram(seed: number): Program {
  const draw = drawing(seed)
  const one = <Item>(items: readonly Item[]): Item => items[draw(items.length)] as Item
  const theme = one(THEMES)
  const keeps = theme === 'kept events'
  const shares = theme === 'shared registrations'
  const asks = theme === 'a function that decides'
  // The fewer URIs, the more often sessions meet.
  const uris = Array.from({ length: 1 + draw(shares || asks ? 2 : keeps ? 4 : 8) }, () => one(EXACT))
  const allowance = (): ModelRule['allow'] => {
    const acts: readonly Act[] = ['call', 'register', 'publish', 'subscribe']
    const often = 1 + draw(4)
    return Object.fromEntries(acts.filter(() => draw(4) < often).map((act) => [act, true]))
  }
  const rule = (uri: string, match: Match): ModelRule => ({
    uri,
    match,
    allow: allowance(),
    ...(draw(4) === 0 && { disclose: { caller: draw(2) === 0, publisher: draw(2) === 0 } }),
    ...(draw(3) === 0 && { control: true }),
  })
  const rules = (generous: boolean): ModelRule[] => {
    const all = { call: true, register: true, publish: true, subscribe: true }
    const found: ModelRule[] = []
    const add = (each: ModelRule): void => {
      if (!found.some(({ uri, match }) => uri === each.uri && match === each.match)) found.push(each)
    }
    if (generous) add({ uri: '', match: 'prefix', allow: all, ...(draw(2) === 0 && { control: true }) })
    for (let n = draw(7); n > 0; n--) {
      const kind = draw(5)
      if (kind === 0) add(rule(one(uris), 'exact'))
      else if (kind === 1) add(rule(...one(META_RULES)))
      else add(rule(...one(PATTERNS)))
    }
    // Not always from the most general to the most special one.
    return draw(2) === 0 ? found.reverse() : found
  }
  const config: ModelConfig = {
    kind: asks
      ? one(['function', 'roles'] as const)
      : one(['open', 'function', 'roles', 'roles', 'roles', 'roles', 'roles'] as const),
    rules: { admin: rules(true), user: rules(draw(2) === 0), guest: rules(draw(4) === 0) },
    answers: [rules(draw(3) > 0), rules(draw(3) > 0)],
    late: one([0, 2, 4, 7]),
    cached: one([0, 3, 6]),
    controlOthers: draw(8) === 0,
    disclose: one(['asked', 'asked', 'asked', 'always', 'never']),
    levels: draw(4) === 0,
    history: keeps || draw(3) === 0 ? one(PATTERNS) : draw(3) === 0 ? [one(uris), 'exact'] : undefined,
  }
  const step = (of: Partial<ModelStep> & Pick<ModelStep, 'do'>): ModelStep => ({
    slot: draw(SLOTS),
    pick: draw(64),
    uri: draw(40) === 0 ? one(['a..b', 'wamp.mine', 'zz']) : one(uris),
    match: 'exact',
    word: '',
    flags: {},
    others: [],
    ...of,
  })
  const flags = (odds: Readonly<Record<string, number>>): Record<string, boolean> =>
    Object.fromEntries(
      Object.entries(odds)
        .filter(([, odd]) => draw(odd) === 0)
        .map(([name]) => [name, true]),
    )
  const patterned = (meta: boolean): Pick<ModelStep, 'uri' | 'match'> | object => {
    const kind = draw(shares ? 20 : 6)
    if (kind < 3 || kind > 5) return {}
    const [uri, match] = meta && kind === 3 ? one(META_TOPICS) : one(PATTERNS)
    return { uri, match }
  }
  const joining = (slot: number): ModelStep =>
    step({
      do: 'join',
      slot,
      word: asks && draw(2) === 0 ? 'asked' : one(ROLES),
      flags: flags({ plain: 4, two: 6 }),
      pick: draw(4),
    })
  const steps: ModelStep[] = []
  for (let slot = 0; slot < 4; slot++) steps.push(joining(slot))
  if (config.history) {
    // A reader needs the id, which a subscriber learns.
    const [uri, match] = config.history
    for (let slot = 0; slot < 4; slot++) steps.push(step({ do: 'subscribe', slot, uri, match }))
  }
  for (let left = 16 + draw(40); left > 0; left--) {
    const choice = draw(asks ? 110 : 100)
    if (choice < 5) steps.push(joining(draw(SLOTS)))
    else if (choice < 8) steps.push(step({ do: 'leave', word: one(['GOODBYE', 'ABORT', 'loss', 'violation']) }))
    else if (choice < (shares || asks ? 15 : 22)) {
      steps.push(step({ do: 'subscribe', ...patterned(true), flags: flags({ get_retained: keeps ? 1 : 2 }) }))
    } else if (choice < 25) steps.push(step({ do: 'unsubscribe' }))
    else if (choice < 36) {
      const word = shares ? 'roundrobin' : one(['single', 'single', 'roundrobin', 'random', 'first', 'last'])
      const odds = { force_reregister: shares ? 20 : asks ? 2 : 5, disclose_caller: 5 }
      steps.push(step({ do: 'register', ...patterned(false), word, flags: flags(odds) }))
    } else if (choice < 39) steps.push(step({ do: 'unregister' }))
    else if (choice < 54) steps.push(step({ do: 'call', flags: flags({ disclose_me: 5, receive_progress: 3 }) }))
    else if (choice < 62) {
      const usual = asks ? 'add_testament' : keeps ? 'get_events' : undefined
      const word = (draw(2) === 0 ? usual : undefined) ?? one(META)
      steps.push(step({ do: 'meta', word, others: [draw(SLOTS)] }))
    } else if (choice < 65) steps.push(step({ do: 'cancel', word: one(['', 'skip', 'kill', 'killnowait']) }))
    else if (choice < 77)
      steps.push(step({ do: 'answer', word: one(['result', 'result', 'result', 'partial', 'error']) }))
    else if (choice < 91) {
      const odds = { acknowledge: 2, disclose_me: 6, retain: keeps ? 1 : 4, me: 3 }
      const lists = [
        '',
        '',
        '',
        'exclude',
        'eligible',
        'exclude_authid',
        'eligible_authid',
        'exclude_authrole',
        'eligible_authrole',
      ]
      const others = Array.from({ length: draw(4) }, () => draw(SLOTS))
      steps.push(step({ do: 'publish', flags: flags(odds), word: one(lists), others }))
    } else if (choice < (asks ? 105 : 98)) steps.push(step({ do: 'decide' }))
    else steps.push(step({ do: 'change', flags: flags({ forget: 2 }) }))
  }
  return { config, steps }
}
