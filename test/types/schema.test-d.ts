/** Types with schemas: a method that does not accept their output does not compile. */

import { type } from 'arktype'
import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import { type Invocation, type Procedures, type RpcTable, rpc, type StandardSchema, WampClient } from 'wampy-ts'
import { z } from 'zod'

const pair = z.tuple([z.number(), z.string()])

test('the parameters accept the output of a schema of all arguments', () => {
  class Service extends WampClient {
    @rpc({ args: pair }) exactly(_a: number, _b: string): void {}
    @rpc('com.example.uri', { args: pair }) byUri(_a: number, _b: string): void {}
    @rpc({ args: pair }) wider(_a: number | bigint, _b: unknown): void {}
    @rpc({ args: pair }) fewer(_a: number): void {}
    @rpc({ args: pair }) optional(_a: number, _b?: string): void {}
    @rpc({ args: pair, invocation: true }) who(_invocation: Invocation, _a: number, _b: string): void {}
    @rpc({ args: v.tuple([v.number(), v.string()]) }) valibot(_a: number, _b: string): void {}
    @rpc({ args: type(['number', 'string']) }) arktype(_a: number, _b: string): void {}
    @rpc({ args: z.array(z.number()) }) list(..._all: number[]): void {}
    @rpc({ args: z.tuple([z.coerce.date()]) }) made(_date: Date): void {}

    // @ts-expect-error: the schema makes a number of the first
    @rpc({ args: pair }) other(_a: string, _b: string): void {}
    // @ts-expect-error: so with a URI
    @rpc('com.example.uri', { args: pair }) otherByUri(_a: string, _b: string): void {}
    // @ts-expect-error: a parameter too many
    @rpc({ args: pair }) more(_a: number, _b: string, _c: boolean): void {}
    // @ts-expect-error: the Invocation was not asked for
    @rpc({ args: pair }) unasked(_invocation: Invocation, _a: number, _b: string): void {}
    // @ts-expect-error: the Invocation was asked for, and comes first
    @rpc({ args: pair, invocation: true }) asked(_a: number, _b: string): void {}
    // @ts-expect-error: valibot says number, string
    @rpc({ args: v.tuple([v.number(), v.string()]) }) notValibot(_a: string, _b: string): void {}
    // @ts-expect-error: arktype says number, string
    @rpc({ args: type(['number', 'string']) }) notArktype(_a: string, _b: string): void {}
    // @ts-expect-error: what is made of the text is a date
    @rpc({ args: z.tuple([z.coerce.date()]) }) raw(_date: string): void {}
    // @ts-expect-error: a schema of no list
    @rpc({ args: z.object({ a: z.number() }) }) noList(_a: number): void {}
    // @ts-expect-error: no schema
    @rpc({ args: [Number] }) noSchema(_a: number): void {}
  }
  expectTypeOf<Procedures<Service>['exactly']>().parameters.toEqualTypeOf<[_a: number, _b: string]>()
})

test('the parameters accept the output of a schema for each of them', () => {
  class Service extends WampClient {
    @rpc({ args: [z.number(), v.optional(v.string())] }) each(_a: number, _b?: string): void {}
    @rpc({ args: [] }) none(): void {}
    @rpc({ args: [z.number()], invocation: true }) who(_invocation: Invocation, _a: number): void {}

    // @ts-expect-error: the second may be undefined
    @rpc({ args: [z.number(), v.optional(v.string())] }) required(_a: number, _b: string): void {}
    // @ts-expect-error: the first is a number
    @rpc({ args: [z.number()] }) other(_a: string): void {}
    // @ts-expect-error: there is no second
    @rpc({ args: [z.number()] }) more(_a: number, _b: number): void {}
    // @ts-expect-error: there is none
    @rpc({ args: [] }) any(_a: number): void {}
  }
  expectTypeOf<Service['each']>().toBeFunction()
})

test('the method returns the input of the schema of the result', () => {
  class Service extends WampClient {
    @rpc({ result: z.string() }) now(_anything: number): string {
      return ''
    }
    @rpc({ result: z.string() }) async later(): Promise<string> {
      return ''
    }
    @rpc({ result: z.string() }) async *parts(): AsyncGenerator<number, string> {
      yield 1
      return ''
    }
    @rpc({ result: z.string().transform(Number) }) made(): string {
      return ''
    }
    @rpc({ args: [z.number()], result: z.number() }) both(a: number): number {
      return a
    }

    // @ts-expect-error: a text is expected
    @rpc({ result: z.string() }) other(): number {
      return 1
    }
    // @ts-expect-error: later too
    @rpc({ result: z.string() }) async otherLater(): Promise<number> {
      return 1
    }
    // @ts-expect-error: a result is expected
    @rpc({ result: z.string() }) nothing(): void {}
    // @ts-expect-error: the arguments are looked at too
    @rpc({ args: [z.number()], result: z.number() }) wrongArgs(a: string): number {
      return a.length
    }
  }
  expectTypeOf<Service['now']>().toBeFunction()
})

test('the Invocation has the outputs of the schemas of keyword arguments and input', () => {
  const unit = z.object({ unit: z.string().default('cm') })
  class Service extends WampClient {
    @rpc({ invocation: true, kwargs: unit }) named(_invocation: Invocation<unknown, { unit: string }>): void {}
    @rpc({ invocation: true, kwargs: unit, args: [z.string()] }) any(_invocation: Invocation, _name: string): void {}
    @rpc({ invocation: true, input: v.number() }) sum(_invocation: Invocation<number>, _start: number): void {}
    @rpc({ invocation: true, input: type('string') }) texts(_invocation: Invocation<string>): void {}
    @rpc({ kwargs: unit }) unseen(_anything: number): void {}
    @rpc({ invocation: true, kwargs: unit, input: z.number() })
    both({ kwargs, input }: Invocation<number, { unit: string }>): void {
      expectTypeOf(kwargs.unit).toEqualTypeOf<string>()
      expectTypeOf(input).toEqualTypeOf<AsyncIterable<number>>()
    }

    // @ts-expect-error: the unit is a text
    @rpc({ invocation: true, kwargs: unit }) number(_invocation: Invocation<unknown, { unit: number }>): void {}
    // @ts-expect-error: there is no size
    @rpc({ invocation: true, kwargs: unit }) size(_invocation: Invocation<unknown, { size: string }>): void {}
    // @ts-expect-error: the items are numbers
    @rpc({ invocation: true, input: v.number() }) items(_invocation: Invocation<string>): void {}
    // @ts-expect-error: no schema of a dictionary
    @rpc({ invocation: true, kwargs: z.number() }) none(_invocation: Invocation): void {}
  }
  expectTypeOf<Procedures<Service>['both']>().parameters.toEqualTypeOf<[]>()
  expectTypeOf<Procedures<Service>['any']>().parameters.toEqualTypeOf<[_name: string]>()
})

test('a static field is checked against the methods by satisfies', () => {
  class Service extends WampClient {
    static rpc = {
      add: rpc({ args: [z.number(), z.number()] }),
      greet: rpc('com.example.greet', { args: z.tuple([z.string()]) }),
      who: rpc({ invocation: true, args: [z.string()] }),
      sum: rpc({ invocation: true, args: [z.number()], input: z.number(), kwargs: z.object({ unit: z.string() }) }),
      plain: 'com.example.plain',
      shared: { invoke: 'roundrobin' },
    } satisfies RpcTable<Service>
    add(a: number, b: number): number {
      return a + b
    }
    greet(name: string): string {
      return name
    }
    who(_invocation: Invocation, name: string): string {
      return name
    }
    sum(_invocation: Invocation<number, { unit: string }>, start: number): number {
      return start
    }
    plain(): void {}
    shared(): void {}
  }
  // @ts-expect-error: the items are numbers
  const items = { sum: rpc({ invocation: true, input: z.string() }) } satisfies RpcTable<Service>
  // @ts-expect-error: the unit is a text
  const unit = { sum: rpc({ invocation: true, kwargs: z.object({ unit: z.number() }) }) } satisfies RpcTable<Service>
  // @ts-expect-error: add takes numbers
  const text = { add: rpc({ args: [z.string(), z.number()] }) } satisfies RpcTable<Service>
  // @ts-expect-error: add takes two
  const one = { add: rpc({ args: [z.number()] }) } satisfies RpcTable<Service>
  // @ts-expect-error: greet takes a text
  const tuple = { greet: rpc({ args: z.tuple([z.number()]) }) } satisfies RpcTable<Service>
  // @ts-expect-error: no such method
  const typo = { subtract: rpc({ args: [z.number()] }) } satisfies RpcTable<Service>
  // @ts-expect-error: schemas are said by rpc()
  const bare = { add: { args: [z.number(), z.number()] } } satisfies RpcTable<Service>
  expectTypeOf([items, unit, text, one, tuple, typo, bare]).toBeArray()
})

test('schemas of the libraries are Standard Schemas', () => {
  expectTypeOf(z.number()).toExtend<StandardSchema<number>>()
  expectTypeOf(v.number()).toExtend<StandardSchema<number>>()
  expectTypeOf(type('number')).toExtend<StandardSchema<number>>()
  expectTypeOf(z.coerce.date()).toExtend<StandardSchema<unknown, Date>>()
})
