/** Argument checks: what a Standard Schema says of a procedure's arguments and result, at run time and to the compiler. */

import { WampError } from '../protocol/error.ts'
import { INVALID_ARGUMENT } from '../protocol/names.ts'
import type { List } from '../protocol/options.ts'
import type { Endpoint, Invocation } from './callee.ts'
import { isThenable } from './waiting.ts'

// biome-ignore lint/suspicious/noExplicitAny: a schema may take and make anything
type Any = any

/** What zod, valibot, arktype and others call a schema: Standard Schema, version 1 (https://standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** One for the whole list of arguments, or one for each of them. */
export type ArgumentSchemas = StandardSchema<Any, readonly Any[]> | readonly StandardSchema<Any, Any>[]

/** What a procedure's arguments and its result have to be. */
export interface Checks {
  /**
   * A schema of the list of positional arguments, such as `z.tuple([z.number(), z.number()])`, or shorter a list with
   * one for each. The method gets what they make of the arguments; a caller whose arguments they refuse gets
   * `wamp.error.invalid_argument`, and the method does not run.
   */
  readonly args?: ArgumentSchemas | undefined
  /** Of the value that the method returns. What it refuses is an error of the service, not of its caller. */
  readonly result?: StandardSchema<Any, Any> | undefined
}

// ---- what the compiler knows ----

type TypesOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types>
  : never
type OutputOf<Schema> = TypesOf<Schema> extends { readonly output: infer Output } ? Output : Any
type InputOf<Schema> = TypesOf<Schema> extends { readonly input: infer Input } ? Input : Any

/** The arguments that a method gets. */
type Taken<Args> = Args extends readonly unknown[]
  ? { -readonly [Place in keyof Args]: OutputOf<Args[Place]> }
  : OutputOf<Args> extends infer Output extends readonly unknown[]
    ? [...Output]
    : Any[]

type ParametersFor<Options> = Options extends { readonly args: infer Args extends ArgumentSchemas }
  ? Options extends { readonly invocation: true }
    ? [invocation: Invocation, ...args: Taken<Args>]
    : Taken<Args>
  : Any[]

type ReturnFor<Options> = Options extends { readonly result: infer Result extends StandardSchema<Any, Any> }
  ? InputOf<Result> | PromiseLike<InputOf<Result>> | AsyncGenerator<unknown, InputOf<Result>, Any>
  : Any

/** The methods that options with checks may stand before. */
export type MethodFor<Options> = (this: Any, ...args: ParametersFor<Options>) => ReturnFor<Options>

/** Serves standard decorator calls and those of `experimentalDecorators`, on methods of a type alone. */
export interface CheckedDecorator<Method extends (...args: Any[]) => Any> {
  <M extends Method>(value: M, context: ClassMethodDecoratorContext): void
  <M extends Method>(target: object, name: string | symbol, descriptor: TypedPropertyDescriptor<M>): void
}

/** The schemas whose output a method's parameters accept. */
type SchemasFor<Parameters extends readonly unknown[]> = Parameters extends [infer First, ...infer Rest]
  ? Invocation extends First
    ? Accepted<Parameters> | Accepted<Rest>
    : Accepted<Parameters>
  : Accepted<Parameters>
type Accepted<Parameters extends readonly unknown[]> =
  | StandardSchema<Any, Readonly<Parameters>>
  | { readonly [Place in keyof Parameters]: StandardSchema<Any, Parameters[Place]> }

/** What a method is given in a static field: a URI, options, or what `rpc` makes of options with schemas. */
type Row<Parameters extends readonly unknown[]> =
  | string
  | {
      readonly args?: undefined
      readonly result?: undefined
      readonly options?: undefined
      readonly [option: string]: unknown
    }
  | { readonly options: { readonly args?: SchemasFor<Parameters>; readonly [option: string]: unknown } }

/**
 * The static field `rpc` of a class, with its schemas held against its methods:
 * `static rpc = { add: rpc({ args: [z.number(), z.number()] }) } satisfies RpcTable<Calculator>`.
 */
export type RpcTable<Service> = {
  readonly [Name in keyof Service as Service[Name] extends (...args: Any[]) => Any
    ? Name
    : never]?: Service[Name] extends (...args: infer Parameters) => Any ? Row<Parameters> : never
}

// ---- what is done ----

/** The same endpoint behind the checks. Where the schemas answer at once, so does it: calls keep their order. */
export function checked(endpoint: Endpoint, { args, result }: Checks): Endpoint {
  return (given, kwargs, details, invocation) =>
    after(args ? taken(args, given) : given, (list, late) => {
      // Its caller may have gone while a schema was thinking.
      if (late) invocation.signal.throwIfAborted()
      const value = endpoint(list, kwargs, details, invocation)
      if (!result) return value
      if (isParts(value)) return parts(value, result)
      return after(value, (whole) => returned(result, whole))
    })
}

type Issues = [place: string, message: string][]

function taken(args: ArgumentSchemas, given: List): List | PromiseLike<List> {
  const issues: Issues = []
  const refuse = () => {
    if (!issues.length) return
    const texts = issues.map(([place, message]) => `${place}: ${message}`)
    throw new WampError(INVALID_ARGUMENT, [texts.join('; ')], {
      issues: issues.map(([place, message]) => ({ place, message })),
    })
  }
  const run = (schema: StandardSchema, value: unknown, place: string) =>
    after(schema['~standard'].validate(value), (answer) => {
      if (!answer.issues) return answer.value
      for (const { path = [], message } of answer.issues) issues.push([placeOf(place, path), message])
      return undefined
    })
  if (!isEach(args)) {
    return after(run(args as StandardSchema, given, 'args'), (list) => {
      refuse()
      return list as List
    })
  }
  if (given.length > args.length) {
    issues.push([`args[${args.length}]`, `at most ${args.length} arguments are taken, got ${given.length}`])
  }
  const made = args.map((schema, i) => run(schema, given[i], `args[${i}]`))
  return after(made.some(isThenable) ? Promise.all(made) : made, (list) => {
    refuse()
    return list
  })
}

function returned(schema: StandardSchema, value: unknown): unknown {
  return after(schema['~standard'].validate(value), (answer) => {
    if (!answer.issues) return answer.value
    // No WampError: the service's `error` event tells its operator what was wrong, and the caller sees this text alone.
    throw new Error('the procedure returned what its result schema refuses', {
      cause: answer.issues.map(({ path = [], message }) => ({ place: placeOf('result', path), message })),
    })
  })
}

type Parts = AsyncIterator<unknown, unknown, undefined> & AsyncIterable<unknown>

function isParts(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value
}

/** What an async generator yields are parts of its result; what it returns is the result. */
async function* parts(value: Parts, schema: StandardSchema): AsyncGenerator<unknown, unknown, undefined> {
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

/** Goes on with a value, or with that of its promise. */
function after<T, Next>(
  value: T | PromiseLike<T>,
  next: (value: T, late: boolean) => Next | PromiseLike<Next>,
): Next | PromiseLike<Next> {
  return isThenable(value) ? (value as PromiseLike<T>).then((it) => next(it, true)) : next(value as T, false)
}
