/** Typed topics: tokens with the types of a topic's events, and with schemas that check them on both sides. */
// biome-ignore-all lint/suspicious/noExplicitAny: a topic may have events of any type, and an alias would be one more public type

import { usage, WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { INVALID_ARGUMENT } from '../../protocol/names.ts'
import type { Dict, List, MatchPolicy } from '../../protocol/options.ts'
import { isPattern } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { anyOf, isOneOf, MATCH_POLICIES } from '../../protocol/words.ts'
import { isThenable } from '../base/waiting.ts'
import { checkUri } from '../checks.ts'
import type { Client } from '../client.ts'
import type { PublishOptions } from '../roles/publisher.ts'
import type { EventHandler, SubscribeOptions, Subscription } from '../roles/subscriber.ts'
import {
  type ArgumentSchemas,
  type ArgumentSchemasFor,
  type ArgumentsOf,
  type InputOf,
  type OutputOf,
  type StandardSchema,
  taken,
} from './schema.ts'

/**
 * A topic, or all topics that a pattern matches, whose events have the same types: made by `topic`, and accepted in place of
 * a URI wherever events are received. `Args` and `Kwargs` are what a handler receives.
 */
export interface TopicPattern<Args extends List = any, Kwargs extends object = any> {
  readonly uri: Uri
  readonly match: MatchPolicy
  /** For the compiler: no value has it. */
  readonly '~received'?: { readonly args: Args; readonly kwargs: Kwargs } | undefined
}

/**
 * A topic whose events have types: made by `topic`, and accepted in place of a URI wherever events are published or received.
 * `SentArgs` and `SentKwargs` are what a publisher passes; they differ from what a handler receives if a schema transforms it.
 */
export interface Topic<
  Args extends List = any,
  Kwargs extends object = any,
  SentArgs extends List = Args,
  SentKwargs extends object = Kwargs,
> extends TopicPattern<Args, Kwargs> {
  readonly match: 'exact'
  /** For the compiler: no value has it. */
  readonly '~sent'?: ((args: SentArgs, kwargs: SentKwargs) => void) | undefined
}

/** The keyword arguments of a topic whose type has none. The compiler names this type where some are passed. */
export type NoKwargs = {
  /** For the compiler: no value has it. */
  readonly '~none'?: undefined
}

/** The positional arguments that a handler of a topic or URI receives. */
export type EventArgs<Of> = Of extends TopicPattern<infer Args, any> ? Args : List

/** The keyword arguments that a handler of a topic or URI receives. */
export type EventKwargs<Of> = Of extends TopicPattern<any, infer Kwargs> ? Kwargs : Dict

/** What follows a topic or URI in a publication. */
export type PublicationOf<Of, Options> =
  Of extends Topic<any, any, infer Args, infer Kwargs>
    ? // biome-ignore lint/complexity/noBannedTypes: true if no keyword argument is required
      {} extends Kwargs
      ? [] extends Args
        ? [args?: Readonly<Args>, kwargs?: Kwargs, options?: Options]
        : [args: Readonly<Args>, kwargs?: Kwargs, options?: Options]
      : [args: [] extends Args ? Readonly<Args> | undefined : Readonly<Args>, kwargs: Kwargs, options?: Options]
    : [args?: List, kwargs?: Dict, options?: Options]

/** The options of `topic`. */
export interface TopicChecks {
  /** A schema of the list of positional arguments, or a list with one schema for each. */
  readonly args?: ArgumentSchemas | undefined
  /** A schema of the keyword arguments. */
  readonly kwargs?: StandardSchema<any, any> | undefined
  /** `prefix` or `wildcard` for a pattern. Default `exact`. */
  readonly match?: MatchPolicy | undefined
}

/** The arguments that schemas accept. */
export type AcceptedBy<Args> = Args extends readonly unknown[]
  ? OptionalTail<{ -readonly [Place in keyof Args]: InputOf<Args[Place]> }>
  : InputOf<Args> extends infer Input extends readonly unknown[]
    ? [...Input]
    : any[]

/** Arguments whose last ones may be left out, if they may be undefined. */
export type OptionalTail<Args extends readonly unknown[]> = Args extends [...infer Rest, infer Last]
  ? undefined extends Last
    ? [...OptionalTail<Rest>, Last?]
    : Args
  : Args

/** The topic that `topic` makes of its options: without a schema of the one kind of arguments but of the other, it has none. */
export type TopicFor<Checks> = Checks extends { readonly args: infer Args extends ArgumentSchemas }
  ? Checks extends { readonly kwargs: infer Kwargs }
    ? MatchedBy<Checks, ArgumentsOf<Args>, OutputOf<Kwargs>, AcceptedBy<Args>, InputOf<Kwargs>>
    : MatchedBy<Checks, ArgumentsOf<Args>, NoKwargs, AcceptedBy<Args>, NoKwargs>
  : Checks extends { readonly kwargs: infer Kwargs }
    ? MatchedBy<Checks, [], OutputOf<Kwargs>, [], InputOf<Kwargs>>
    : MatchedBy<Checks, List, Dict, List, Dict>

/** A topic, or a pattern if the options name another match policy. */
export type MatchedBy<Checks, Args extends List, Kwargs, SentArgs extends List, SentKwargs> = Checks extends {
  readonly match: 'prefix' | 'wildcard'
}
  ? TopicPattern<Args, Extract<Kwargs, object>>
  : Topic<Args, Extract<Kwargs, object>, SentArgs, Extract<SentKwargs, object>>

/** The options of `topic` with types that the program states. */
export interface ChecksOf<Args extends List, Kwargs extends object, Match> {
  readonly args?: ArgumentSchemasFor<Args> | undefined
  readonly kwargs?: StandardSchema<any, Kwargs> | undefined
  readonly match?: Match | undefined
}

/**
 * A topic with typed events, in place of its URI: `topic<[text: string], { price: number }>('com.example.news')`. With
 * `match` it is a pattern, which can only be subscribed to. With schemas, whose types it then has, an invalid event is
 * rejected before it is published, and dropped, counted in `dropped.invalidEvents` and reported by the event `warning` when
 * it is received. What is published travels as it is; handlers receive the output of the schemas. Asynchronous schemas do
 * not change the order of the events.
 *
 * @example
 * const news = topic('com.example.news', { args: [z.string()], kwargs: z.object({ price: z.number() }) })
 * await client.subscribe(news, ([text], { price }) => show(text, price))
 * await client.publish(news, ['tea'], { price: 3 })
 * @throws WampError `wamp.error.invalid_uri`; `wampy.error.usage` for an invalid option
 */
export function topic<const Checks extends TopicChecks>(uri: Uri, options: Checks): TopicFor<Checks>
export function topic<Args extends List = List, Kwargs extends object = List extends Args ? Dict : NoKwargs>(
  uri: Uri,
  options?: ChecksOf<Args, Kwargs, 'exact'>,
): Topic<Args, Kwargs>
export function topic<Args extends List, Kwargs extends object = List extends Args ? Dict : NoKwargs>(
  uri: Uri,
  options: ChecksOf<Args, Kwargs, 'prefix' | 'wildcard'>,
): TopicPattern<Args, Kwargs>
export function topic(uri: Uri, options: any = {}): any {
  return new TypedTopic(uri, options)
}

/** What a client, a service and the functions over a client do with a token. Not part of the public type. */
export interface TopicToken extends TopicPattern {
  /** Checks what is to be published. Throws or rejects if it is invalid. */
  sent(args: unknown, kwargs: unknown): unknown
  /** The output of the schemas, or undefined for an event that was dropped, counted and reported. */
  received(client: Client, topic: Uri, args: List, kwargs: Dict): Checked | undefined | Promise<Checked | undefined>
  /** A handler that calls that of the user with the output of the schemas, unless `closed` returns true by then. */
  handler(client: Client, handler: EventHandler, closed?: () => boolean): EventHandler
  publish(client: Client, args?: List, kwargs?: Dict, options?: PublishOptions): ReturnType<Client['publish']>
  subscribe(client: Client, handler: EventHandler, options?: SubscribeOptions): Promise<Subscription>
}

type Checked = readonly [args: List, kwargs: Dict]

/** The token of a topic, or undefined for a URI. By its method: it may be from another copy of this library. */
export function tokenOf(topic: unknown): TopicToken | undefined {
  return typeof Object(topic).received === 'function' ? (topic as TopicToken) : undefined
}

class TypedTopic implements TopicToken {
  readonly uri: Uri
  readonly match: MatchPolicy
  readonly #checks: TopicChecks | undefined
  /** Publications of a client that wait for an asynchronous schema. */
  readonly #sending = new WeakMap<Client, InTurn>()
  /** The number of invalid events that a client has received. */
  readonly #invalid = new WeakMap<Client, number>()

  constructor(uri: Uri, options: TopicChecks) {
    const { match = 'exact', args, kwargs } = options
    if (!isOneOf(MATCH_POLICIES, match)) {
      throw usage(`the option match must be ${anyOf(MATCH_POLICIES)}, got ${formatValue(match)}`)
    }
    checkUri(uri, isPattern(uri, match))
    for (const [name, given] of Object.entries({ args, kwargs })) {
      const schemas = name === 'args' && Array.isArray(given) ? given : [given]
      if (given === undefined || schemas.every((schema) => Object(schema)['~standard']?.version === 1)) continue
      throw usage(`the option ${name} of topic must be a Standard Schema${name === 'args' ? ' or a list of them' : ''}`)
    }
    this.uri = uri
    this.match = match
    this.#checks = args || kwargs ? options : undefined
  }

  /** For a declaration: \`@subscribe(news)\` takes the topic as its options. */
  get topic(): this {
    return this
  }

  toString(): string {
    return this.uri
  }

  sent(args: unknown = [], kwargs: unknown = {}): unknown {
    const { uri, match } = this
    if (match !== 'exact') throw usage(`${uri} is a pattern (match: '${match}'): publish to a topic that it matches`)
    const invalid = (error: unknown): never => {
      const { kwargs } = error as Partial<WampError>
      const options = { sent: false, cause: error }
      throw new WampError(INVALID_ARGUMENT, [`an event of ${uri} has invalid ${reasonOf(error)}`], kwargs, options)
    }
    try {
      // As it travels: an undefined argument arrives as null.
      const list = Array.isArray(args) ? args.map((value) => value ?? null) : args
      const checking = this.#check(list as List, kwargs as Dict)
      return isThenable(checking) ? checking.then(undefined, invalid) : undefined
    } catch (error) {
      return invalid(error)
    }
  }

  received(client: Client, topic: Uri, args: List, kwargs: Dict): ReturnType<TopicToken['received']> {
    const invalid = (error: unknown): undefined => {
      client.dropped.invalidEvents++
      const count = (this.#invalid.get(client) ?? 0) + 1
      this.#invalid.set(client, count)
      // The first and the tenth, the hundredth and so on: a publisher must not fill a log.
      if (!/^10*$/.test(String(count))) return undefined
      const text = `dropped event ${count} of ${topic} with invalid ${reasonOf(error)}`
      const warning = new WampError(INVALID_ARGUMENT, [text], {}, { cause: error })
      if (!client.emit('warning', warning)) console.warn(warning.message)
      return undefined
    }
    try {
      const checking = this.#check(args, kwargs)
      return isThenable(checking) ? checking.then(undefined, invalid) : checking
    } catch (error) {
      return invalid(error)
    }
  }

  handler(client: Client, handler: EventHandler, closed = () => false): EventHandler {
    if (!this.#checks) return handler
    const inTurn = turns()
    return (args, kwargs, details) =>
      inTurn(this.received(client, details.topic, args, kwargs), (made) => {
        return made && !closed() ? handler(...made, details) : undefined
      })
  }

  publish(client: Client, args?: List, kwargs?: Dict, options?: PublishOptions): ReturnType<Client['publish']> {
    try {
      const inTurn = this.#sending.get(client) ?? turns()
      this.#sending.set(client, inTurn)
      return inTurn(this.sent(args, kwargs), () => client.publish(this.uri, args, kwargs, options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  subscribe(client: Client, handler: EventHandler, options: SubscribeOptions = {}): Promise<Subscription> {
    const { match = this.match } = isDict(options) ? options : {}
    if (match !== this.match) {
      return Promise.reject(usage(`the match policy of ${this.uri} is ${this.match}: leave out the option match`))
    }
    let handle: Subscription | undefined
    // Without a function the client refuses the subscription.
    const made = typeof handler === 'function' && this.handler(client, handler, () => handle?.state === 'closed')
    const granted = client.subscribe(this.uri, made || handler, { ...options, match })
    granted.then(
      (it) => {
        handle = it
      },
      () => {},
    )
    return granted
  }

  #check(args: List, kwargs: Dict): Checked | Promise<Checked> {
    return this.#checks ? taken(this.#checks, args, kwargs) : [args, kwargs]
  }
}

function reasonOf(error: unknown): string {
  return WampError.is(error) ? error.message : `arguments: ${error}`
}

/** Runs a task with a value, now or when its promise is fulfilled, but never before a task that was given earlier. */
type InTurn = <T, R>(value: T | PromiseLike<T>, run: (value: T) => R) => R | Promise<Awaited<R>>

function turns(): InTurn {
  let last: Promise<unknown> | undefined
  return (value, run) => {
    if (!last && !isThenable(value)) return run(value as never)
    const before = last
    // In a list: the next task follows the start of this one, not its end.
    const mine = (async () => {
      const made = await value
      await before
      return [run(made)] as const
    })()
    const over = Promise.allSettled([mine, before])
    last = over
    over.then(() => {
      if (last === over) last = undefined
    })
    return mine.then(([result]) => result as never)
  }
}
