/** Shapes of configuration values: one description for the checks, the JSON Schema and the documentation. */

import { nearestName } from '../protocol/option-rules.ts'
import { formatValue, isDict } from '../protocol/validate.ts'

/** The place of a value: `['listeners', 0, 'port']`. */
export type Place = readonly (string | number)[]

/** A mistake in a configuration. */
export interface Problem {
  readonly at: Place
  /** What is wrong there, and what to write instead. */
  readonly text: string
}

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Shape<T = unknown> {
  /** As an error says it: `a whole number from 0 to 65535`. */
  readonly expected: string
  /** Reports the mistakes of a value. */
  check(value: unknown, at: Place, report: (problem: Problem) => void): void
  readonly schema: JsonSchema
  /** The keys within, for the documentation: by their path from here, such as `[].port`. */
  readonly within: readonly (readonly [path: string, key: Key])[]
  /** Carries the type of its values; never set. */
  readonly value?: T
}

export type ValueOf<S> = S extends Shape<infer T> ? T : never

export interface Key<T = unknown> {
  readonly shape: Shape<T>
  /** What it is for, in Markdown. */
  readonly about: string
  /** The default, in words; undefined for a required key, and for one whose absence `about` explains. */
  readonly byDefault: string | undefined
  readonly required: boolean
}

type Keys = Readonly<Record<string, Key>>
type Values<K extends Keys> = { readonly [Name in keyof K]?: ValueOf<K[Name]['shape']> | undefined }

export function optional<T>(shape: Shape<T>, about: string, byDefault?: string): Key<T> {
  return { shape, about, byDefault, required: false }
}

export function required<T>(shape: Shape<T>, about: string): Key<T> {
  return { shape, about, byDefault: undefined, required: true }
}

function simple<T>(expected: string, schema: JsonSchema, holds: (value: unknown) => boolean): Shape<T> {
  return {
    expected,
    schema,
    within: [],
    check(value, at, report) {
      if (!holds(value)) report({ at, text: `must be ${expected}, got ${formatValue(value)}` })
    },
  }
}

/** Text that is not empty, unless the pattern allows that. */
export function text(expected = 'text', pattern = /./s): Shape<string> {
  const schema = { type: 'string', pattern: pattern.source }
  return simple(expected, schema, (value) => typeof value === 'string' && pattern.test(value))
}

export function flag(): Shape<boolean> {
  return simple('true or false', { type: 'boolean' }, (value) => typeof value === 'boolean')
}

/** False alone: turns something off. */
export function off(): Shape<false> {
  return simple('false', { const: false }, (value) => value === false)
}

export function whole(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  const range = maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `from ${minimum} to ${maximum}`
  return simple(
    `a whole number ${range}`,
    { type: 'integer', minimum, ...(maximum !== Number.MAX_SAFE_INTEGER && { maximum }) },
    (value) => Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum,
  )
}

export function choice<const T extends string>(...of: readonly T[]): Shape<T> {
  return simple(of.join(', ').replace(/, ([^,]*)$/, ' or $1'), { enum: of }, (value) => of.includes(value as T))
}

/** Any dictionary, whose content is the user's own. */
export function anyDict(): Shape<Readonly<Record<string, unknown>>> {
  return simple('a dictionary', { type: 'object' }, isDict)
}

export function list<T>(item: Shape<T>, expected = `a list, each item ${item.expected}`): Shape<readonly T[]> {
  return {
    expected,
    schema: { type: 'array', items: item.schema },
    within: item.within.map(([path, key]) => [`[]${path}`, key]),
    check(value, at, report) {
      if (!Array.isArray(value)) report({ at, text: `must be ${expected}, got ${formatValue(value)}` })
      else for (const [index, each] of value.entries()) item.check(each, [...at, index], report)
    },
  }
}

/** A dictionary by names that the user chooses. */
export function byName<T>(name: string, item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  const expected = `a dictionary by ${name}`
  return {
    expected,
    schema: { type: 'object', additionalProperties: item.schema },
    within: item.within.map(([path, key]) => [`.<${name}>${path}`, key]),
    check(value, at, report) {
      if (!isDict(value)) report({ at, text: `must be ${expected}, got ${formatValue(value)}` })
      else for (const [key, each] of Object.entries(value)) item.check(each, [...at, key], report)
    },
  }
}

export function dict<const K extends Keys>(keys: K, expected = 'a dictionary'): Shape<Values<K>> {
  const names = Object.keys(keys)
  const needed = names.filter((name) => keys[name]?.required)
  return {
    expected,
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        names.map((name) => {
          const { shape, about, byDefault } = keys[name] as Key
          const description = byDefault === undefined ? about : `${about} Default: ${byDefault}.`
          return [name, { ...shape.schema, description }]
        }),
      ),
      additionalProperties: false,
      ...(needed.length > 0 && { required: needed }),
    },
    within: names.flatMap((name) => {
      const key = keys[name] as Key
      return [
        [`.${name}`, key] as const,
        ...key.shape.within.map(([path, inner]) => [`.${name}${path}`, inner] as const),
      ]
    }),
    check(value, at, report) {
      if (!isDict(value)) {
        report({ at, text: `must be ${expected}, got ${formatValue(value)}` })
        return
      }
      for (const [name, each] of Object.entries(value)) {
        if (each === undefined) continue
        if (Object.hasOwn(keys, name)) {
          keys[name]?.shape.check(each, [...at, name], report)
          continue
        }
        const nearest = nearestName(name, names)
        const cure = nearest === undefined ? `the keys here are ${names.join(', ')}` : `did you mean ${nearest}?`
        report({ at: [...at, name], text: `is not a key here: ${cure}` })
      }
      for (const name of needed) {
        if (value[name] === undefined) report({ at, text: `needs the key ${name}: ${keys[name]?.shape.expected}` })
      }
    },
  }
}

type Kind = 'list' | 'dictionary' | 'other'
const kindOf = (value: unknown): Kind => (Array.isArray(value) ? 'list' : isDict(value) ? 'dictionary' : 'other')
const KINDS: Readonly<Record<string, Kind>> = { array: 'list', object: 'dictionary' }

/** One of several shapes. Mistakes are those of the nearest shape of the value's kind. */
export function either<const S extends readonly Shape[]>(expected: string, ...shapes: S): Shape<ValueOf<S[number]>> {
  return {
    expected,
    schema: { anyOf: shapes.map(({ schema }) => schema) },
    within: shapes.flatMap(({ within }) => within),
    check(value, at, report) {
      const found = shapes.map((shape) => {
        const problems: Problem[] = []
        shape.check(value, at, (problem) => problems.push(problem))
        return { shape, problems }
      })
      if (found.some(({ problems }) => problems.length === 0)) return
      const kind = kindOf(value)
      const alike = found
        .filter(({ shape }) => kind !== 'other' && KINDS[String(shape.schema['type'])] === kind)
        .sort((one, other) => one.problems.length - other.problems.length)
      const [nearest, next] = alike
      if (nearest && nearest.problems.length !== next?.problems.length)
        for (const problem of nearest.problems) report(problem)
      else report({ at, text: `must be ${expected}, got ${formatValue(value)}` })
    },
  } as Shape<ValueOf<S[number]>>
}
