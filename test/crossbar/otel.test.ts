/** Tracing through Crossbar.io, which drops custom options: the context travels in kwargs. */

import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { otel } from 'wampy-ts/otel'
import { until } from '../client/support.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

const spans = new InMemorySpanExporter()

let crossbar: Crossbar
beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())
beforeEach(() => spans.reset())

const spanOf = (kind: SpanKind) => spans.getFinishedSpans().find((span) => span.kind === kind)

test.each([
  [true, 'with kwargs, the trace reaches callees and subscribers, and nobody sees it'],
  [false, 'without, callees and subscribers begin traces of their own'],
])('%s: %s', async (kwargs) => {
  const options = { router: crossbar.url, reconnect: false, interceptors: [otel({ kwargs })] } as const
  await using callee = new WampClient(options)
  await using caller = new WampClient(options)
  await Promise.all([callee.start(), caller.start()])
  const seen: unknown[] = []
  await callee.register('com.example.traced', (_, named) => seen.push(named))
  await callee.subscribe('com.example.traced.news', (_, named) => seen.push(named))
  await caller.call('com.example.traced', [], { own: 1 })
  await caller.publish('com.example.traced.news', [], { own: 2 }, { acknowledge: true })
  await until(() => spans.getFinishedSpans().length === 4)
  expect(seen).toEqual([{ own: 1 }, { own: 2 }])
  const [called, sent] = [SpanKind.CLIENT, SpanKind.PRODUCER].map(spanOf)
  const [served, processed] = [SpanKind.SERVER, SpanKind.CONSUMER].map(spanOf)
  expect(served?.parentSpanContext?.spanId).toBe(kwargs ? called?.spanContext().spanId : undefined)
  expect(processed?.links.map((link) => link.context.spanId)).toEqual(kwargs ? [sent?.spanContext().spanId] : [])
})
