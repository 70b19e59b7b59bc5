/** `@rpc` and `@subscribe`, and the declarations of a class by decorators or static fields. */

import { usage } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import type { Dict, List } from '../../protocol/options.ts'
import type { description } from './description.ts'
import { type CheckedDecorator, type Checks, checked, type MethodFor } from './schema.ts'
import type { ReceivedEvent } from './service.ts'
import { type TopicPattern, tokenOf } from './topic.ts'

/** The options of `@rpc`: those of this library, and any key of REGISTER.Options in WAMP's spelling. */
export interface RpcOptions extends Dict, Checks {
  /** The whole URI. Default: the class's prefix and the method's name. */
  readonly uri?: Uri
  /** Puts an Invocation before the arguments: kwargs, caller, signal, progress, input. */
  readonly invocation?: boolean
  /** The number of parts of a call that may wait for a slow reader of `input`. Default 65 536. */
  readonly buffer?: number
  /** For people: the text in the description of the service. */
  readonly doc?: string
}

/** The options of `@subscribe`: those of this library, and any key of SUBSCRIBE.Options in WAMP's spelling. */
export interface TopicOptions extends Dict {
  /** The whole URI. Default: the class's prefix and the method's name. */
  readonly uri?: Uri
  /** Puts a ReceivedEvent before the arguments: kwargs, details. */
  readonly event?: boolean
  /** For people: the text in the description of the service. */
  readonly doc?: string
}

export type DeclaredKind = 'rpc' | 'subscribe'

/** The declaration of a method. */
export interface Declared {
  readonly kind: DeclaredKind
  readonly method: string
  readonly uri: Uri | undefined
  readonly options: RpcOptions & TopicOptions
  /** Adds the checks in the options to an endpoint. Part of `rpc`, so that other code need not load it. */
  readonly checked?: typeof checked | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a method may take and return anything
export type AnyMethod = (this: any, ...args: any[]) => any

/** The type of a decorator: standard or `experimentalDecorators`; at run time that of 2018-09 works too. */
export interface MethodDecorator {
  <M extends AnyMethod>(value: M, context: ClassMethodDecoratorContext): void
  (target: object, name: string | symbol, descriptor: PropertyDescriptor): void
}

export interface SubscribeDecorator extends MethodDecorator {
  (): MethodDecorator
  <Args extends List, Kwargs extends object>(
    topic: TopicPattern<Args, Kwargs>,
    options?: TopicOptions & { readonly event?: false },
    // biome-ignore lint/suspicious/noExplicitAny: a method of any class
  ): CheckedDecorator<(this: any, ...args: Args) => unknown>
  <Args extends List, Kwargs extends object>(
    topic: TopicPattern<Args, Kwargs>,
    options: TopicOptions & { readonly event: true },
    // biome-ignore lint/suspicious/noExplicitAny: a method of any class
  ): CheckedDecorator<(this: any, event: ReceivedEvent<Args, Kwargs>, ...args: Args) => unknown>
  (uri: Uri, options?: TopicOptions): MethodDecorator
  (options: TopicOptions): MethodDecorator
}

export interface RpcDecorator extends MethodDecorator {
  (): DecoratorFor<object>
  <const Options extends RpcOptions>(uri: Uri, options?: Options): DecoratorFor<Options>
  <const Options extends RpcOptions>(options: Options): DecoratorFor<Options>
}

export type DecoratorFor<Options> = (Options extends
  | { readonly args: object }
  | { readonly kwargs: object }
  | { readonly input: object }
  | { readonly result: object }
  ? CheckedDecorator<MethodFor<Options>>
  : MethodDecorator) &
  DeclaredOptions<Options>

/** Options as `rpc` returns them, for a static field. */
export interface DeclaredOptions<Options> {
  readonly options: Options
  readonly checked?: typeof checked | undefined
}

/**
 * Registers a method as a procedure when its service starts: `@rpc`, `@rpc()`, `@rpc('com.example.date')`,
 * `@rpc({ uri: 'com.example.date', invocation: true })`. Without a URI it is the class's prefix and the method's name.
 * With schemas, as in `@rpc({ args: [z.number()], result: z.number() })`, the method must accept and return their types.
 *
 * @throws WampError `wampy.error.usage` on anything but a public instance method
 */
export const rpc = /* @__PURE__ */ decorator('rpc', checked) as RpcDecorator

/**
 * Subscribes a method to a topic when its service starts; the method receives the event's positional arguments. Forms as
 * `rpc`, and `@subscribe(news)` with a typed topic, which the method must accept.
 */
export const subscribe = /* @__PURE__ */ decorator('subscribe') as SubscribeDecorator

type ByMethod = Map<string, Declared>
/** Declarations by object: a prototype (legacy), an instance (standard), or the method itself (standard, before any instance). */
type DeclarationTables = Record<DeclaredKind, WeakMap<object, ByMethod>>

const DECLARED_KEY = Symbol.for('wampy-ts.declared')

// On the global object for the same reason as the entrypoints: the decorator and the class may come from two copies.
function declarationTables(): DeclarationTables {
  const home = globalThis as { [DECLARED_KEY]?: DeclarationTables }
  home[DECLARED_KEY] ??= { rpc: new WeakMap(), subscribe: new WeakMap() }
  return home[DECLARED_KEY]
}

function declare(owner: object, declared: Declared): void {
  const table = declarationTables()[declared.kind]
  const methods = table.get(owner) ?? new Map<string, Declared>()
  table.set(owner, methods.set(declared.method, declared))
}

/** The descriptor that decorators of 2018-09 receive and return: those of SWC, and of Babel in that version. */
interface ElementDescriptor {
  readonly kind: string
  readonly key: unknown
  readonly placement: 'static' | 'prototype' | 'own'
  readonly descriptor: PropertyDescriptor
  readonly finisher?: (made: { readonly prototype: object }) => void
}

function isElement(given: unknown): given is ElementDescriptor {
  return typeof given === 'object' && given !== null && 'placement' in given && 'descriptor' in given
}

function decorator(kind: DeclaredKind, checked?: Declared['checked']): unknown {
  const declaredFor = (
    options: RpcOptions & TopicOptions,
    name: unknown,
    isPublicMethod: boolean,
  ): Declared & { readonly method: string } => {
    if (isPublicMethod && typeof name === 'string') return { kind, method: name, uri: options.uri, options, checked }
    throw usage(`@${kind} goes on a public method, not on ${String(name)}`)
  }
  const applyStandard = (options: RpcOptions & TopicOptions, method: object, context: ClassMethodDecoratorContext) => {
    const declared = declaredFor(
      options,
      context.name,
      context.kind === 'method' && !context.static && !context.private,
    )
    declare(method, declared)
    // Also by the instance: a decorator above this one may have replaced the method.
    context.addInitializer(function (this: unknown) {
      declare(this as object, declared)
    })
  }
  const apply = (options: RpcOptions & TopicOptions, given: readonly unknown[]): ElementDescriptor | undefined => {
    const [target, context] = given
    if (isElement(target)) {
      const { key, descriptor, placement } = target
      const declared = declaredFor(options, key, placement === 'prototype' && typeof descriptor.value === 'function')
      return { ...target, finisher: ({ prototype }) => declare(prototype, declared) }
    }
    if (typeof context === 'object' && context !== null) {
      applyStandard(options, target as object, context as ClassMethodDecoratorContext)
    } else if (typeof target === 'object' && target !== null) {
      declare(target, declaredFor(options, context, true))
    } else {
      declaredFor(options, context, false)
    }
    return undefined
  }
  return (...given: unknown[]) => {
    const [first = {}, second] = given
    // A class may have a method of the name by which a topic is recognised.
    const token = typeof second === 'string' || typeof second === 'symbol' ? undefined : tokenOf(first)
    if (isElement(first) || (given.length > 1 && typeof first !== 'string' && !token)) return apply({}, given)
    if (typeof first !== 'string' && (typeof first !== 'object' || first === null)) {
      throw usage(
        `@${kind} takes a URI and options, or is compiled in a way that it does not know; ` +
          `without decorators write static ${kind} = ['methodName']`,
      )
    }
    // A topic takes the place of options, and a copy of it would lack its methods.
    const options = token
      ? { ...(second as Dict), uri: token.uri, match: token.match, topic: token }
      : typeof first === 'string'
        ? { ...(second as Dict), uri: first }
        : (first as Dict)
    const said: DeclaredOptions<Dict> = { options, checked }
    return Object.assign((...on: unknown[]) => apply(options, on), said)
  }
}

/** The static fields in which a class may declare. */
export interface ServiceClass {
  /** The prefix of method names: `com.example` makes `com.example.getTodaysDate`. */
  readonly prefix?: string
  /**
   * `['getTodaysDate']` or `{ getTodaysDate: 'com.example.date' }`, instead of decorators; with schemas
   * `{ add: rpc({ args: [z.number(), z.number()] }) }`.
   */
  readonly rpc?: readonly string[] | Readonly<Record<string, Uri | RpcOptions | DeclaredOptions<RpcOptions>>>
  /** `{ onTick: 'com.example.tick' }`, or `{ onNews: news }` with a typed topic. */
  readonly subscribe?: readonly string[] | Readonly<Record<string, Uri | TopicOptions | TopicPattern>>
  /** `description`: a procedure under the prefix returns the declarations of the class. */
  readonly describe?: typeof description
}

/**
 * The static field `subscribe` of a class, whose topics are checked against its methods:
 * `static subscribe = { onNews: news } satisfies TopicTable<Reader>`. Not for methods with `event: true`.
 */
export type TopicTable<Service> = {
  // biome-ignore lint/suspicious/noExplicitAny: a method may take and return anything, and topics have more arguments than it
  readonly [Name in keyof Service as Service[Name] extends (...args: any[]) => any
    ? Name
    : never]?: Service[Name] extends (...args: infer Parameters) => unknown
    ? // biome-ignore lint/suspicious/noExplicitAny: the same
      Uri | TopicOptions | TopicPattern<[...Parameters, ...any[]]>
    : never
}

/** The declarations of one kind, by method, of a class or of an instance. The most derived declaration wins. */
export function declaredBy(kind: DeclaredKind, service: object, instance?: object): Map<string, Declared> {
  const found: ByMethod = new Map()
  const add = (methods: Iterable<Declared> | undefined) => {
    for (const declared of methods ?? []) if (!found.has(declared.method)) found.set(declared.method, declared)
  }
  const table = declarationTables()[kind]
  if (instance) add(table.get(instance)?.values())
  for (let at = service; at !== Function.prototype && at; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, kind)) add(inStatic(kind, (at as ServiceClass)[kind]))
    const { prototype } = at as { prototype?: object }
    if (!prototype) continue
    add(table.get(prototype)?.values())
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const value = Object.getOwnPropertyDescriptor(prototype, name)?.value
      if (typeof value === 'function') add(table.get(value)?.values())
    }
  }
  return found
}

function* inStatic(kind: DeclaredKind, field: ServiceClass[DeclaredKind]): Generator<Declared> {
  if (Array.isArray(field)) {
    for (const method of field) yield { kind, method, uri: undefined, options: {} }
    return
  }
  for (const [method, said] of Object.entries(field ?? {})) {
    const { options, checked } =
      typeof said === 'function'
        ? (said as DeclaredOptions<RpcOptions>)
        : { options: typeof said === 'string' ? { uri: said } : said }
    yield { kind, method, uri: options.uri, options, checked }
  }
}

/** The URI of a method: its own, or the prefix and its name. */
export function methodUri(declared: Declared | undefined, method: string, prefix: string | undefined): Uri {
  if (declared?.uri !== undefined) return declared.uri
  if (!prefix) return method
  return prefix.endsWith('.') ? prefix + method : `${prefix}.${method}`
}
