/** The types of `client.service(...)` and `uriOf`. */

import { expectTypeOf, test } from 'vitest'
import {
  type AnyProcedure,
  type AnyStream,
  type Procedures,
  type Progress,
  type RpcClient,
  type ServiceView,
  type Streams,
  uriOf,
  type WampClient,
} from 'wampy-ts'
import { DateService } from './service.ts'

// Never called: only their types count.
declare const client: RpcClient
declare const service: WampClient

interface Contract {
  price(item: string, amount?: number): number
  count(to: number): AsyncGenerator<number, string>
  readonly open: boolean
}

test('a class, a type with a prefix, and neither', () => {
  expectTypeOf(client.service(DateService)).toEqualTypeOf<ServiceView<DateService>>()
  expectTypeOf(service.service(DateService, { prefix: 'com.example' })).toEqualTypeOf<ServiceView<DateService>>()
  expectTypeOf(client.service<Contract>('com.example.shop')).toEqualTypeOf<ServiceView<Contract>>()
  expectTypeOf(client.service<Contract>()).toEqualTypeOf<ServiceView<Contract>>()
  expectTypeOf(client.service()).toEqualTypeOf<ServiceView<unknown>>()
  expectTypeOf(client.service('com.example').rpc).toEqualTypeOf<AnyProcedure>()
  expectTypeOf(client.service('com.example').stream).toEqualTypeOf<AnyStream>()
})

test('its procedures and streams are those of a client', () => {
  const shop = client.service<Contract>('com.example.shop')
  expectTypeOf(shop.rpc).toEqualTypeOf<Procedures<Contract>>()
  expectTypeOf(shop.stream).toEqualTypeOf<Streams<Contract>>()
  expectTypeOf(shop.rpc.price).toEqualTypeOf<(item: string, amount?: number) => Promise<number>>()
  expectTypeOf(shop.stream.count).toEqualTypeOf<(to: number) => Progress<number, string>>()
  expectTypeOf(shop.with({ timeout: 5, kwargs: { unit: 'kg' } }).rpc).toEqualTypeOf<Procedures<Contract>>()
})

test('a client of one service is a view of it', () => {
  expectTypeOf<RpcClient<Contract>>().toExtend<ServiceView<Contract>>()
})

test('uriOf accepts procedures and streams', () => {
  const shop = client.service<Contract>('com.example.shop')
  expectTypeOf(uriOf(shop.rpc.price)).toEqualTypeOf<string>()
  expectTypeOf(uriOf(shop.stream.count)).toEqualTypeOf<string>()
  expectTypeOf(uriOf(client.rpc.com.example.any)).toEqualTypeOf<string>()
  // @ts-expect-error: all procedures are not one
  uriOf(shop.rpc)
  // @ts-expect-error: a URI is not a procedure
  uriOf('com.example.price')
  // @ts-expect-error: a typo is not a procedure
  uriOf(shop.rpc.prize)
})

test('misuse does not compile', () => {
  // @ts-expect-error: an object is neither a class nor a prefix
  client.service({ prefix: 'com.example' })
  // @ts-expect-error: a number is not a prefix
  client.service(DateService, { prefix: 5 })
  // @ts-expect-error: a type is not a value
  client.service(Contract)
  // @ts-expect-error: an argument of another type
  client.service<Contract>('com.example').rpc.price(5)
  // @ts-expect-error: an option of a wrong type
  client.service(DateService).with({ timeout: '5' })
})
