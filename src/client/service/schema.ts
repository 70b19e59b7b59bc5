/** Argument checks: Standard Schemas for a procedure's arguments and result, at run time and at compile time. */
// biome-ignore-all lint/suspicious/noExplicitAny: a schema may take and make anything, and an alias would be one more public type

import { WampError } from '../../protocol/error.ts'
import { CANCELED, INVALID_ARGUMENT } from '../../protocol/names.ts'
import type { Dict, List } from '../../protocol/options.ts'
import { isThenable } from '../base/waiting.ts'
import type { Endpoint, Invocation } from '../roles/callee.ts'

/** A schema of zod, valibot, arktype and others: Standard Schema, version 1 (https://standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** One schema for the whole list of arguments, or one for each argument. */
export type ArgumentSchemas = StandardSchema<any, readonly any[]> | readonly StandardSchema<any, any>[]

/** The schemas of a procedure's arguments, input and result. */
export interface Checks {
  /**
   * A schema of the list of positional arguments, such as `z.tuple([z.number(), z.number()])`, or a list with one schema
   * for each. The method receives their output. Invalid arguments are rejected with `wamp.error.invalid_argument` before
   * the method runs.
   */
  readonly args?: ArgumentSchemas | undefined
  /** The schema of the keyword arguments in the Invocation. Rejected as `args` are. */
  readonly kwargs?: StandardSchema<any, Dict> | undefined
  /** The schema of each item of the Invocation's `input`, which throws `wamp.error.invalid_argument` for an invalid one. */
  readonly input?: StandardSchema<any, any> | undefined
  /** The schema of the returned value. An invalid one is an error of the service, not of its caller. */
  readonly result?: StandardSchema<any, any> | undefined
}

// ---- types ----

export type TypesOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types>
  : never
export type OutputOf<Schema> = TypesOf<Schema> extends { readonly output: infer Output } ? Output : any
export type InputOf<Schema> = TypesOf<Schema> extends { readonly input: infer Input } ? Input : any

/** The arguments that a method receives. */
export type ArgumentsOf<Args> = Args extends readonly unknown[]
  ? { -readonly [Place in keyof Args]: OutputOf<Args[Place]> }
  : OutputOf<Args> extends infer Output extends readonly unknown[]
    ? [...Output]
    : any[]

export type OutputOfOption<Options, Key extends string, Otherwise> = Options extends {
  readonly [K in Key]: infer Schema extends StandardSchema<any, any>
}
  ? OutputOf<Schema>
  : Otherwise
export type ArgumentsFor<Options> = Options extends { readonly args: infer Args extends ArgumentSchemas }
  ? ArgumentsOf<Args>
  : any[]

export type ParametersFor<Options> = Options extends { readonly invocation: true }
  ? [
      invocation: Invocation<OutputOfOption<Options, 'input', any>, OutputOfOption<Options, 'kwargs', Dict>>,
      ...args: ArgumentsFor<Options>,
    ]
  : ArgumentsFor<Options>

export type ReturnFor<Options> = Options extends { readonly result: infer Result extends StandardSchema<any, any> }
  ? InputOf<Result> | PromiseLike<InputOf<Result>> | AsyncGenerator<unknown, InputOf<Result>, any>
  : any

/** The methods that options with checks may decorate. */
export type MethodFor<Options> = (this: any, ...args: ParametersFor<Options>) => ReturnFor<Options>

/** A decorator, standard or of `experimentalDecorators`, for methods of one type only. */
export interface CheckedDecorator<Method extends (...args: any[]) => any> {
  <M extends Method>(value: M, context: ClassMethodDecoratorContext): void
  <M extends Method>(target: object, name: string | symbol, descriptor: TypedPropertyDescriptor<M>): void
}

/** The schemas whose output a method's parameters accept. */
export type SchemasForParameters<Parameters extends readonly unknown[]> = Parameters extends [
  infer First,
  ...infer Rest,
]
  ? [First] extends [Invocation<any, any>]
    ? ArgumentSchemasFor<Rest>
    : Invocation extends First
      ? ArgumentSchemasFor<Parameters> | ArgumentSchemasFor<Rest>
      : ArgumentSchemasFor<Parameters>
  : ArgumentSchemasFor<Parameters>
/** The same for the content of its Invocation. */
export type SchemasForInvocation<Parameters extends readonly unknown[]> = Parameters extends [
  Invocation<infer Input, infer Kwargs>,
  ...any,
]
  ? { readonly input?: StandardSchema<any, Input>; readonly kwargs?: StandardSchema<any, Kwargs> }
  : unknown
export type ArgumentSchemasFor<Parameters extends readonly unknown[]> =
  | StandardSchema<any, Readonly<Parameters>>
  | { readonly [Place in keyof Parameters]: StandardSchema<any, Parameters[Place]> }

/** The entry of a method in a static field: a URI, options, or the result of `rpc` for options with schemas. */
export type RpcTableRow<Parameters extends readonly unknown[]> =
  | string
  | {
      readonly args?: undefined
      readonly kwargs?: undefined
      readonly input?: undefined
      readonly result?: undefined
      readonly options?: undefined
      readonly [option: string]: unknown
    }
  | {
      readonly options: {
        readonly args?: SchemasForParameters<Parameters>
        readonly [option: string]: unknown
      } & SchemasForInvocation<Parameters>
    }

/**
 * The static field `rpc` of a class, whose schemas are checked against its methods:
 * `static rpc = { add: rpc({ args: [z.number(), z.number()] }) } satisfies RpcTable<Calculator>`.
 */
export type RpcTable<Service> = {
  readonly [Name in keyof Service as Service[Name] extends (...args: any[]) => any
    ? Name
    : never]?: Service[Name] extends (...args: infer Parameters) => any ? RpcTableRow<Parameters> : never
}

// ---- run time ----

/** Adds the checks to an endpoint. With synchronous schemas it stays synchronous, so that calls keep their order. */
export function checked(endpoint: Endpoint, checks: Checks): Endpoint {
  const { args, kwargs, input, result } = checks
  return (given, named, details, invocation) =>
    after(args || kwargs ? taken(checks, given, named) : ([given, named] as const), ([list, dict], late) => {
      // The caller may have left during an asynchronous check.
      if (late && invocation.canceled) throw new WampError(CANCELED, ['the call was canceled'])
      Object.assign(invocation, { args: list, kwargs: dict })
      if (input) Object.defineProperty(invocation, 'input', { value: items(invocation.input, input) })
      const value = endpoint(list, dict, details, invocation)
      if (!result) return value
      if (isParts(value)) return parts(value, result)
      return after(value, (whole) => returned(result, whole))
    })
}

/** An issue and its place. */
type Issues = [place: string, message: string][]

/** The number of issues in an error: a value may be invalid in a million places. */
const LISTED_ISSUES = 20

function refuse(issues: Issues): void {
  if (!issues.length) return
  const first = issues.slice(0, LISTED_ISSUES)
  const texts = first.map(([place, message]) => `${place}: ${message}`)
  if (issues.length > LISTED_ISSUES) texts.push(`and ${issues.length - LISTED_ISSUES} more`)
  throw new WampError(INVALID_ARGUMENT, [texts.join('; ')], {
    issues: first.map(([place, message]) => ({ place, message })),
  })
}

/** Returns the output of a schema for a value; issues are added to `issues`. */
function check(schema: StandardSchema, value: unknown, place: string, issues: Issues): unknown {
  const made = after(schema['~standard'].validate(value), (answer) => {
    if (!answer.issues) return answer.value
    for (const { path = [], message } of answer.issues) issues.push([placeOf(place, path), message])
    return undefined
  })
  // Another schema may throw first, and then this rejection is ignored.
  if (isThenable(made)) made.then(undefined, () => {})
  return made
}

/** The outputs of the schemas for arguments. */
export function taken(
  { args, kwargs }: Checks,
  given: List,
  named: Dict,
): readonly [List, Dict] | Promise<[List, Dict]> {
  const issues: Issues = []
  const places = (schemas: readonly StandardSchema[]) => {
    if (given.length > schemas.length) {
      issues.push([`args[${schemas.length}]`, `at most ${schemas.length} arguments are taken, got ${given.length}`])
    }
    const made = schemas.map((schema, i) => check(schema, given[i], `args[${i}]`, issues))
    return made.some(isThenable) ? Promise.all(made) : made
  }
  const list = !args ? given : isEach(args) ? places(args) : check(args as StandardSchema, given, 'args', issues)
  const dict = kwargs ? check(kwargs, named, 'kwargs', issues) : named
  const both = isThenable(list) || isThenable(dict) ? Promise.all([list, dict]) : [list, dict]
  return after(both, (made) => {
    refuse(issues)
    return made as [List, Dict]
  }) as readonly [List, Dict] | Promise<[List, Dict]>
}

/** The outputs of a schema for the items of an input, until one is invalid. */
async function* items(input: AsyncIterable<unknown>, schema: StandardSchema): AsyncGenerator<unknown, void> {
  let n = 0
  for await (const item of input) {
    const issues: Issues = []
    const made = await check(schema, item, `input[${n++}]`, issues)
    refuse(issues)
    yield made
  }
}

function returned(schema: StandardSchema, value: unknown): unknown {
  return after(schema['~standard'].validate(value), (answer) => {
    if (!answer.issues) return answer.value
    // Not a WampError: the event `error` shows the issues to the operator, and the caller sees only this text.
    throw new Error('the procedure returned what its result schema refuses', {
      cause: answer.issues.map(({ path = [], message }) => ({ place: placeOf('result', path), message })),
    })
  })
}

function isParts(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Checks the yielded values and the return value of an async generator. */
async function* parts(
  value: AsyncIterable<unknown>,
  schema: StandardSchema,
): AsyncGenerator<unknown, unknown, undefined> {
  return await returned(schema, yield* value as AsyncGenerator<unknown, unknown, undefined>)
}

function placeOf(place: string, path: NonNullable<SchemaIssue['path']>): string {
  return path.reduce<string>((text, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    return typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`
  }, place)
}

function isEach(args: ArgumentSchemas): args is readonly StandardSchema[] {
  return Array.isArray(args)
}

/** Continues with a value, or with that of its promise. */
function after<T, Next>(
  value: T | PromiseLike<T>,
  next: (value: T, late: boolean) => Next | PromiseLike<Next>,
): Next | PromiseLike<Next> {
  return isThenable(value) ? (value as PromiseLike<T>).then((it) => next(it, true)) : next(value as T, false)
}
