/** The types of the client: options, operations, events, adapters. */

import { expectTypeOf, test } from 'vitest'
import {
  type CallResult,
  type ClientOptions,
  type ClientState,
  type Dial,
  type Dict,
  type HandleState,
  type Id,
  Invocation,
  json,
  type List,
  type Registration,
  rpc,
  type SessionInfo,
  type Subscription,
  subscribe,
  type Transport,
  WampClient,
  WampError,
  WampRouter,
  webSocketDial,
} from 'wampy-ts'
import { dial } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import WebSocket from 'ws'

// Never called: only its types count.
declare const client: WampClient

test('the result of call is unknown without a type argument; callRaw returns all of it', () => {
  expectTypeOf(client.call('com.example.f')).toEqualTypeOf<Promise<unknown>>()
  expectTypeOf(client.call<number>('com.example.f', [1])).toEqualTypeOf<Promise<number>>()
  expectTypeOf(client.callRaw('com.example.f')).toEqualTypeOf<Promise<CallResult>>()
  // @ts-expect-error: args are a list
  client.call('com.example.f', 'args')
  // @ts-expect-error: args are a list, not a dictionary
  client.call('com.example.f', { a: 1 })
  // @ts-expect-error: kwargs are a dictionary
  client.call('com.example.f', [], [1])
  // @ts-expect-error: a procedure is a text
  client.call(5)
  // @ts-expect-error: a timeout is a number
  client.call('com.example.f', [], {}, { timeout: '5s' })
  client.call('com.example.f', [], {}, { timeout: 5, signal: AbortSignal.timeout(5), waitForReady: true, _custom: [1] })
})

test('publish resolves to a publication id or to undefined', () => {
  expectTypeOf(client.publish('com.example.t')).toEqualTypeOf<Promise<Id | undefined>>()
  client.publish('com.example.t', [1], { a: 2 }, { acknowledge: true, exclude_me: false, eligible: [1] })
  // @ts-expect-error: acknowledge is true or false
  client.publish('com.example.t', [], {}, { acknowledge: 1 })
})

test('handlers and endpoints receive args, kwargs and details', () => {
  expectTypeOf(
    client.subscribe('com.example.t', (args, kwargs, details) => {
      expectTypeOf(args).toEqualTypeOf<readonly unknown[]>()
      expectTypeOf(kwargs).toEqualTypeOf<Readonly<Record<string, unknown>>>()
      expectTypeOf(details.topic).toBeString()
      expectTypeOf(details.publication).toBeNumber()
    }),
  ).toEqualTypeOf<Promise<Subscription>>()
  expectTypeOf(
    client.register('com.example.f', (args, _kwargs, details, invocation) => {
      expectTypeOf(invocation.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(details.caller).toEqualTypeOf<number | undefined>()
      return args[0]
    }),
  ).toEqualTypeOf<Promise<Registration>>()
  client.subscribe('com.example.', async () => {}, { match: 'prefix' })
  // @ts-expect-error: no such match
  client.subscribe('com.example.', () => {}, { match: 'suffix' })
  // @ts-expect-error: a handler is a function
  client.subscribe('com.example.t', 'handler')
})

test('session, state and handles', () => {
  expectTypeOf(client.session).toEqualTypeOf<SessionInfo>()
  expectTypeOf(client.session.id).toBeNumber()
  expectTypeOf(client.session.authid).toEqualTypeOf<string | undefined>()
  expectTypeOf(client.state).toEqualTypeOf<ClientState>()
  expectTypeOf(client.subscriptions).toEqualTypeOf<Subscription[]>()
  expectTypeOf(client.registrations).toEqualTypeOf<Registration[]>()
  // @ts-expect-error: the state is changed by start() and stop()
  client.state = 'ready'
  const [handle] = client.subscriptions
  if (!handle) return
  expectTypeOf(handle.closed).toEqualTypeOf<Promise<WampError | undefined>>()
  handle.on('state', (state) => expectTypeOf(state).toEqualTypeOf<HandleState>())
  handle.on('closed', (error) => expectTypeOf(error).toEqualTypeOf<WampError | undefined>())
  // @ts-expect-error: changed by the client only
  handle.state = 'active'
  // @ts-expect-error: sent again on every rejoin, as it was given
  handle.options.match = 'prefix'
  // @ts-expect-error: no such event
  handle.on('ready', () => {})
  // @ts-expect-error: made by the client only
  new Invocation()
})

test('each event has its own arguments', () => {
  client.on('state', (state) => expectTypeOf(state).toEqualTypeOf<ClientState>())
  client.on('ready', (session) => expectTypeOf(session).toEqualTypeOf<SessionInfo>())
  client.on('lost', (cause) => expectTypeOf(cause).toEqualTypeOf<WampError>())
  client.on('stopped', (cause) => expectTypeOf(cause).toEqualTypeOf<WampError | undefined>())
  client.on('retry', ({ attempt, delay, cause }) => {
    expectTypeOf([attempt, delay]).toEqualTypeOf<number[]>()
    expectTypeOf(cause).toEqualTypeOf<WampError>()
  })
  client.on('failed', (handle, error) => {
    expectTypeOf(handle).toEqualTypeOf<Subscription | Registration>()
    expectTypeOf(error).toEqualTypeOf<WampError>()
  })
  client.on('error', (error) => expectTypeOf(error).toBeUnknown())
  // @ts-expect-error: no such event
  client.on('connected', () => {})
  // @ts-expect-error: a state is not a session
  client.on('state', (session: SessionInfo) => session)
})

test('options of the client', () => {
  new WampClient({ router: 'ws://localhost:8080/ws', realm: 'realm1', serializers: [json], roles: ['caller'] })
  new WampClient({ router: new Router(), roles: { caller: {} }, reconnect: { initial: 5 }, liveness: { idle: 5 } })
  new WampClient({ router: new WampRouter({ port: '8080' }), reconnect: (attempt) => attempt < 3 && 500 })
  new WampClient({ reconnect: false, liveness: false })
  // @ts-expect-error: no such option
  new WampClient({ url: 'ws://localhost:8080/ws' })
  // @ts-expect-error: a client does not play the dealer
  new WampClient({ roles: ['dealer'] })
  // @ts-expect-error: a router is not a number
  new WampClient({ router: 8080 })
  // @ts-expect-error: true is no liveness: it is on by default
  new WampClient({ liveness: true })
  // @ts-expect-error: a decision is a delay or false
  new WampClient({ reconnect: () => 'later' })
  expectTypeOf<ClientOptions>().toHaveProperty('prefix')
})

test('adapters are pluggable by their public types', () => {
  expectTypeOf(webSocketDial()).toEqualTypeOf<Dial>()
  expectTypeOf(dial({ headers: { cookie: 'a=b' } })).toEqualTypeOf<Dial>()
  const own: Dial = async () => ({}) as Transport
  new WampRouter({ url: 'ws://localhost:8080/ws', dial: own })
  new WampRouter({ webSocket: WebSocket })
  new WampRouter({ webSocket: globalThis.WebSocket })
  // @ts-expect-error: a port is a number or a text
  new WampRouter({ port: true })
})

test('decorators can be applied to methods only', () => {
  class Service extends WampClient {
    @rpc bare(): void {}
    @rpc('com.example.uri') uri(): void {}
    @rpc('com.example.options', { invoke: 'roundrobin' }) options(): void {}
    @rpc({ invocation: true, _custom: 1 }) custom(): void {}
    @subscribe('com.example.t') async onEvent(_a: number): Promise<void> {}
    // @ts-expect-error: a field is not a method
    @rpc field = 1
    // @ts-expect-error: a URI is a text
    @rpc(5) number(): void {}
    // @ts-expect-error: invocation is true or false
    @rpc({ invocation: 'yes' }) wrong(): void {}
  }
  expectTypeOf<Service['bare']>().toBeFunction()
})

test('an error has its URI, args and kwargs, and can be narrowed', () => {
  const caught: unknown = new WampError('com.example.error')
  // @ts-expect-error: anything may have been thrown
  caught.uri
  if (WampError.is(caught)) {
    expectTypeOf(caught).toEqualTypeOf<WampError>()
    expectTypeOf(caught.sent).toEqualTypeOf<boolean | undefined>()
  }
})

test('a client can be used with await using', () => {
  expectTypeOf(client).toExtend<AsyncDisposable>()
})

test('progress and events are read in loops', async () => {
  const loop = client.progress<number, string>('com.example.f', [1], {}, { cancelMode: 'skip' })
  expectTypeOf(loop.result).toEqualTypeOf<Promise<string>>()
  for await (const part of loop) expectTypeOf(part).toEqualTypeOf<number>()
  for await (const part of client.progress('com.example.f')) expectTypeOf(part).toBeUnknown()
  const events = client.events('com.example.t', { match: 'prefix', buffer: 10, overflow: 'newest' })
  expectTypeOf(events.subscription).toEqualTypeOf<Promise<Subscription>>()
  for await (const { args, kwargs, topic, publication } of events) {
    expectTypeOf(args).toEqualTypeOf<List>()
    expectTypeOf(kwargs).toEqualTypeOf<Dict>()
    expectTypeOf(topic).toBeString()
    expectTypeOf(publication).toEqualTypeOf<Id>()
  }
  // @ts-expect-error: no such policy
  client.events('com.example.t', { overflow: 'all' })
})

test('a single id or name can be given without a list', () => {
  client.publish('com.example.t', [], {}, { exclude: 1, eligible: [1, 2], eligible_authid: 'joe' })
  // @ts-expect-error: ids are numbers
  client.publish('com.example.t', [], {}, { exclude: 'joe' })
})

test('an Invocation has its caller, its input and its progress', async () => {
  const invocation = {} as Invocation<number>
  expectTypeOf(invocation.caller).toEqualTypeOf<Id | undefined>()
  expectTypeOf(invocation.callerAuthid).toEqualTypeOf<string | undefined>()
  expectTypeOf(invocation.progress([1], { k: 1 })).toBeBoolean()
  for await (const n of invocation.input) expectTypeOf(n).toEqualTypeOf<number>()
  for await (const part of invocation.parts) expectTypeOf(part.args).toEqualTypeOf<List>()
})
