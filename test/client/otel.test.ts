/** Traces and durations by the real SDK of OpenTelemetry: one trace from a caller to the nested calls of its callee, over sockets. */

import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  metrics as theirMetrics,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, type Invocation, RpcClient, rpc, WampClient, WampError } from 'wampy-ts'
import { type OtelOptions, otel } from 'wampy-ts/otel'
import { openWorld, type World } from 'wampy-ts/testing'
import { failure, gate, leavesNothing, until } from './support.ts'

leavesNothing()

const spans = new InMemorySpanExporter()
let measured: InMemoryMetricExporter
let reader: PeriodicExportingMetricReader

/** The SDK, as a program registers it. */
function register(sampler?: Sampler): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  )
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)], ...(sampler && { sampler }) }),
  )
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 2 ** 30 })
  theirMetrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
}

beforeEach(() => register())

afterEach(async () => {
  vi.restoreAllMocks()
  await reader.shutdown()
  for (const api of [context, propagation, trace, theirMetrics]) api.disable()
  spans.reset()
})

const named = (name: string, kind?: SpanKind): ReadableSpan => {
  const found = spans
    .getFinishedSpans()
    .filter((span) => span.name === name && (kind === undefined || span.kind === kind))
  expect(found, name).toHaveLength(1)
  return found[0] as ReadableSpan
}
const finished = (count: number) => until(() => spans.getFinishedSpans().length >= count)
const idOf = (span: ReadableSpan) => span.spanContext().spanId
const traceOf = (span: ReadableSpan) => span.spanContext().traceId

/** The points of a histogram. */
async function durations(name: string) {
  await reader.forceFlush()
  const all =
    measured
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
  const found = all.find(({ descriptor }) => descriptor.name === name)
  expect(found?.descriptor.unit ?? 's').toBe('s')
  return (found?.dataPoints ?? []).map(({ attributes, value }) => ({
    attributes,
    count: (value as { count: number }).count,
  }))
}

class Shop extends WampClient {
  static readonly prefix = 'com.example.shop.'

  @rpc
  async price(article: string) {
    // Other work in between: the context must still be there.
    await new Promise((resolve) => setImmediate(resolve))
    return this.call<number>('com.example.stock.cost', [article])
  }

  @rpc({ invocation: true })
  async *count({ signal }: Invocation, to: number) {
    for (let n = 1; n <= to; n++) yield await this.call('com.example.stock.cost', [n])
    if (to === 1) return 'done'
    // Until its caller has left.
    await new Promise((_, reject) => (to === 2 ? reject(new RangeError('broken')) : signal))
    return undefined
  }
}

/** A shop, the stock that it calls, and a caller, each on a socket of its own. */
async function shop(options?: OtelOptions, world?: World) {
  const opened = world ?? (await openWorld({ link: 'websocket' }))
  const at = (name: string): ClientOptions => ({
    reconnect: false,
    router: opened.connector(name),
    interceptors: [otel(options)],
  })
  const [service, stock, caller] = [new Shop(at('shop')), new WampClient(at('stock')), new WampClient(at('caller'))]
  await Promise.all([service.start(), stock.start(), caller.start()])
  const seen: object[] = []
  await stock.register('com.example.stock.cost', (_, kwargs) => {
    seen.push(kwargs)
    return 3
  })
  return {
    world: opened,
    service,
    stock,
    caller,
    seen,
    async [Symbol.asyncDispose]() {
      await Promise.all([service.stop(), stock.stop(), caller.stop()])
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** The spans of a call to the shop and of its nested call are one trace. */
function expectOneTrace(parent?: ReadableSpan | Span): void {
  const outer = named('com.example.shop.price', SpanKind.CLIENT)
  const served = named('com.example.shop.price', SpanKind.SERVER)
  const inner = named('com.example.stock.cost', SpanKind.CLIENT)
  const leaf = named('com.example.stock.cost', SpanKind.SERVER)
  expect(served.parentSpanContext).toMatchObject({ spanId: idOf(outer), isRemote: true })
  expect(inner.parentSpanContext?.spanId).toBe(idOf(served))
  expect(leaf.parentSpanContext?.spanId).toBe(idOf(inner))
  expect(new Set([outer, served, inner, leaf].map(traceOf)).size).toBe(1)
  expect(outer.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId)
}

describe('calls', () => {
  test('are one trace, from a caller through the router to the nested calls of its callee', async () => {
    await using w = await shop()
    const span = trace.getTracer('test').startSpan('page')
    const baggage = propagation.createBaggage({ secret: { value: 'stays here' } })
    const within = propagation.setBaggage(trace.setSpan(context.active(), span), baggage)
    const price = await context.with(within, () => w.caller.call('com.example.shop.price', ['tea']))
    span.end()
    expect(price).toBe(3)
    await finished(5)
    expectOneTrace(span)
    expect(traceOf(named('page'))).toBe(traceOf(named('com.example.stock.cost', SpanKind.SERVER)))
    const { attributes, instrumentationScope, status } = named('com.example.shop.price', SpanKind.SERVER)
    expect(attributes).toEqual({ 'rpc.system.name': 'wamp', 'rpc.method': 'com.example.shop.price' })
    expect(instrumentationScope.name).toBe('wampy-ts')
    expect(status).toEqual({ code: SpanStatusCode.UNSET })
    for (const side of ['client', 'server']) {
      const points = await durations(`rpc.${side}.call.duration`)
      expect(points).toHaveLength(2)
      expect(points).toContainEqual({
        attributes: { 'rpc.system.name': 'wamp', 'rpc.method': 'com.example.shop.price' },
        count: 1,
      })
    }
    // The procedures saw nothing of it, and the baggage stayed here.
    expect(w.seen).toEqual([{}])
    const [sent] = w.world.log.sent('caller').filter(([code]) => code === 48)
    expect(Object.keys(sent?.[2] as object)).toEqual(['_traceparent'])
  })

  test('of the typed client are traced, and baggage is carried if asked for and forwarded', async () => {
    const world = await openWorld({ link: 'websocket', router: { forward: ['_traceparent', '_baggage'] } })
    const options = { fields: ['traceparent', 'baggage'] }
    await using w = await shop(options, world)
    let heard: unknown
    await w.stock.register('com.example.baggage', () => {
      heard = propagation.getActiveBaggage()?.getEntry('tenant')?.value
    })
    await using client = new RpcClient({ router: world.connector('page'), interceptors: [otel(options)] })
    const baggage = propagation.createBaggage({ tenant: { value: 'ada' } })
    await context.with(propagation.setBaggage(context.active(), baggage), () => client.rpc.com.example.baggage())
    expect(heard).toBe('ada')
  })

  test('that fail have the URI of their error', async () => {
    await using w = await shop()
    await w.stock.register('com.example.refuse', () => {
      throw new WampError('com.example.error.closed', ['closed today'])
    })
    await w.stock.register('com.example.break', () => {
      throw new RangeError('broken')
    })
    w.stock.on('error', () => {})
    for (const name of ['refuse', 'break', 'missing']) await failure(w.caller.call(`com.example.${name}`))
    await finished(5)
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      expect(named('com.example.refuse', kind)).toMatchObject({
        attributes: { 'error.type': 'com.example.error.closed' },
        status: { code: SpanStatusCode.ERROR, message: 'closed today' },
        events: [],
      })
      expect(named('com.example.break', kind).attributes['error.type']).toBe('wamp.error.runtime_error')
    }
    const [exception] = named('com.example.break', SpanKind.SERVER).events
    expect(exception).toMatchObject({
      name: 'exception',
      attributes: {
        'exception.type': 'RangeError',
        'exception.message': 'broken',
        'exception.stacktrace': expect.stringMatching(/^RangeError: broken\n.*otel\.test\.ts/),
      },
    })
    expect(named('com.example.missing').attributes['error.type']).toBe('wamp.error.no_such_procedure')
    const failed = (await durations('rpc.client.call.duration')).map(({ attributes }) => attributes['error.type'])
    expect(failed.sort()).toEqual([
      'com.example.error.closed',
      'wamp.error.no_such_procedure',
      'wamp.error.runtime_error',
    ])
    expect(await durations('rpc.server.call.duration')).toHaveLength(2)
  })

  test('that their caller cancels end with that', async () => {
    await using w = await shop()
    const begun = gate()
    const ended = gate()
    await w.stock.register('com.example.slow', async () => {
      begun.open()
      await ended.opened
    })
    const stop = new AbortController()
    const calling = failure(w.caller.call('com.example.slow', [], {}, { signal: stop.signal }))
    await begun.opened
    stop.abort()
    await calling
    await until(() => w.world.log.received('stock').some(([code]) => code === 69))
    ended.open()
    await finished(2)
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      expect(named('com.example.slow', kind).attributes['error.type']).toBe('wamp.error.canceled')
    }
  })

  test('of generators last until their end, and their nested calls belong to them', async () => {
    await using w = await shop()
    w.service.on('error', () => {})
    const read = async (parts: AsyncIterable<unknown>, most = 9) => {
      const got: unknown[] = []
      for await (const part of parts) if (got.push(part) === most) break
      return got
    }
    const counting = w.caller.progress('com.example.shop.count', [2])
    await failure(read(counting))
    await failure(counting.result)
    await finished(6)
    const [served] = spans
      .getFinishedSpans()
      .filter((span) => span.name.endsWith('count') && span.kind === SpanKind.SERVER)
    expect(served?.attributes['error.type']).toBe('wamp.error.runtime_error')
    const nested = spans
      .getFinishedSpans()
      .filter(({ name, kind }) => name.endsWith('cost') && kind === SpanKind.CLIENT)
    expect(nested.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
      served && [idOf(served), idOf(served)],
    )
    spans.reset()
    expect(await read(w.caller.progress('com.example.shop.count', [1]))).toEqual([3])
    await finished(4)
    expect(named('com.example.shop.count', SpanKind.SERVER)).toMatchObject({ ended: true, status: { code: 0 } })
    spans.reset()
    // A loop that is left.
    expect(await read(w.caller.progress('com.example.shop.count', [5]), 1)).toEqual([3])
    await until(() =>
      spans.getFinishedSpans().some(({ name, kind }) => name.endsWith('count') && kind === SpanKind.SERVER),
    )
    expect(named('com.example.shop.count', SpanKind.SERVER).attributes['error.type']).toBe('wamp.error.canceled')
  })

  test('by a pattern have few names', async () => {
    await using w = await shop({ nameOf: (uri) => uri.replace(/\.\d+\./, '..') })
    await w.stock.register('com.example.user..name', () => 'Ada', { match: 'wildcard' })
    await w.caller.call('com.example.user.7.name')
    await w.caller.call('com.example.user.8.name')
    await finished(4)
    for (const span of spans.getFinishedSpans()) {
      expect(span.name).toBe('com.example.user..name')
      expect(span.attributes['rpc.method_original']).toMatch(/^com\.example\.user\.[78]\.name$/)
    }
    for (const side of ['client', 'server']) {
      expect(await durations(`rpc.${side}.call.duration`)).toEqual([
        { attributes: { 'rpc.system.name': 'wamp', 'rpc.method': 'com.example.user..name' }, count: 2 },
      ])
    }
  })
})

describe('events', () => {
  test('are processed in traces of their own, linked to the publication', async () => {
    await using w = await shop()
    const active: (string | undefined)[] = []
    const handler = () => active.push(trace.getSpan(context.active())?.spanContext().spanId)
    await w.stock.subscribe('com.example.news', handler)
    await w.service.subscribe('com.example', handler, { match: 'prefix' })
    const publication = await w.caller.publish('com.example.news', ['x'], {}, { acknowledge: true })
    await finished(3)
    const sent = named('send com.example.news', SpanKind.PRODUCER)
    expect(sent.attributes).toEqual({
      'messaging.system': 'wamp',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'com.example.news',
      'messaging.message.id': String(publication),
    })
    const processed = ['process com.example.news', 'process com.example'].map((name) => named(name, SpanKind.CONSUMER))
    for (const span of processed) {
      expect(span.links).toMatchObject([{ context: { spanId: idOf(sent), traceId: traceOf(sent), isRemote: true } }])
      expect(span.parentSpanContext).toBe(undefined)
      expect(traceOf(span)).not.toBe(traceOf(sent))
      expect(span.attributes).toMatchObject({
        'messaging.destination.name': 'com.example.news',
        'messaging.message.id': String(publication),
      })
      expect(active).toContain(idOf(span))
    }
    expect(processed[1]?.attributes['messaging.destination.template']).toBe('com.example')
    expect(await durations('messaging.process.duration')).toHaveLength(2)
    expect(await durations('messaging.client.operation.duration')).toHaveLength(1)
  })

  test('of publishers without a trace have no link, and failures their type', async () => {
    await using w = await shop()
    const [plain] = await w.world.join('plain')
    const errors: unknown[] = []
    w.stock.on('error', (error) => errors.push(error))
    await w.stock.subscribe('com.example.news', () => {
      throw new RangeError('broken')
    })
    await plain.publish('com.example.news')
    await until(() => errors.length === 1)
    expect(named('process com.example.news')).toMatchObject({
      links: [],
      attributes: { 'error.type': 'RangeError' },
      status: { code: SpanStatusCode.ERROR },
    })
    await failure(w.caller.publish('not a topic'))
    expect(named('send not a topic').attributes['error.type']).toBe('wamp.error.invalid_uri')
  })
})

test('kwargs carry the trace through a router that forwards nothing, and no procedure sees them', async () => {
  const world = await openWorld({ link: 'websocket', router: { forward: [] } })
  await using w = await shop({ kwargs: true }, world)
  await w.caller.call('com.example.shop.price', ['tea'], { own: 1 })
  await finished(4)
  expectOneTrace()
  expect(w.seen).toEqual([{}])
  const events: unknown[] = []
  await w.stock.subscribe('com.example.news', (_, kwargs) => events.push(kwargs))
  await w.caller.publish('com.example.news', [], { own: 2 })
  await until(() => events.length === 1)
  await finished(6)
  expect(events).toEqual([{ own: 2 }])
  expect(named('process com.example.news').links).toMatchObject([
    { context: { spanId: idOf(named('send com.example.news')) } },
  ])
})

test('a trace that is not sampled is carried, and nothing is recorded of it', async () => {
  for (const api of [context, propagation, trace, theirMetrics]) api.disable()
  await reader.shutdown()
  register(new ParentBasedSampler({ root: new AlwaysOffSampler() }))
  await using w = await shop()
  const { prototype } = trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }).constructor
  const methods = ['setAttribute', 'setAttributes', 'setStatus', 'recordException'] as const
  const touched = methods.map((method) => vi.spyOn(prototype, method))
  await w.stock.register('com.example.broken', () => {
    throw new RangeError('broken')
  })
  w.stock.on('error', () => {})
  await w.caller.call('com.example.shop.price', ['tea'])
  await failure(w.caller.call('com.example.broken'))
  await w.caller.publish('com.example.news', [], {}, { acknowledge: true })
  expect(spans.getFinishedSpans()).toEqual([])
  for (const spy of touched) expect(spy).not.toHaveBeenCalled()
  const [sent] = w.world.log.sent('shop').filter(([code]) => code === 48)
  expect(sent?.[2]).toEqual({ _traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) })
  expect(await durations('rpc.server.call.duration')).toHaveLength(3)
})

test('a client that was started within a span does not serve strangers in its trace', async () => {
  await using world = await openWorld({ link: 'websocket' })
  const [stranger] = await world.join('stranger')
  const service = new WampClient({ router: world.connector('service'), interceptors: [otel()] })
  await context.with(trace.setSpan(context.active(), trace.getTracer('test').startSpan('start')), async () => {
    await service.start()
    await service.register('com.example.own', () => 1)
  })
  await stranger.call('com.example.own')
  await service.stop()
  expect(named('com.example.own').parentSpanContext).toBe(undefined)
})

test('without an SDK nothing is sent', async () => {
  for (const api of [context, propagation, trace, theirMetrics]) api.disable()
  await using w = await shop()
  expect(await w.caller.call('com.example.shop.price', ['tea'])).toBe(3)
  const [sent] = w.world.log.sent('caller').filter(([code]) => code === 48)
  expect(sent?.[2]).toEqual({})
})

test('an SDK that is registered after the interceptor is used', async () => {
  for (const api of [context, propagation, trace, theirMetrics]) api.disable()
  await reader.shutdown()
  await using w = await shop()
  await w.caller.call('com.example.shop.price', ['tea'])
  register()
  await w.caller.call('com.example.shop.price', ['tea'])
  await finished(4)
  expectOneTrace()
  expect(await durations('rpc.server.call.duration')).toHaveLength(2)
})

test.each([
  [{ kwargs: 'yes' }, /kwargs must be true or false/],
  [{ fields: ['traceparent', 7] }, /fields must be a list of fields/],
  [{ nameOf: 'x' }, /nameOf must be a function/],
  [{ field: [] }, /did you mean fields/],
])('the options %j are refused', (options, text) => {
  expect(() => otel(options as never)).toThrow(expect.objectContaining({ uri: 'wampy.error.usage' }))
  expect(() => otel(options as never)).toThrow(text)
})
