/** An interceptor that traces and measures by OpenTelemetry, and carries the trace context from peer to peer. */

import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Link,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'
import type { Interceptor } from '../client/roles/interceptor.ts'
import { thrown, WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { checkRules, FLAG, FUNCTION, isText, type OptionRules } from '../protocol/option-rules.ts'
import type { Dict } from '../protocol/options.ts'
import { VERSION } from '../protocol/version.ts'

export interface OtelOptions {
  /**
   * Carries the trace context in `kwargs` as well, for routers that do not forward custom options, such as Crossbar.io.
   * Every receiver needs the same option, which takes it out again: a procedure without it would see `_traceparent` in its
   * `kwargs`, and one that checks them would refuse the call. Default false.
   */
  readonly kwargs?: boolean | undefined
  /**
   * The fields of the propagator that are carried, each as a custom key: `traceparent` as `_traceparent`. A router must
   * forward each of them. Default `['traceparent', 'tracestate']`.
   */
  readonly fields?: readonly string[] | undefined
  /**
   * The name of a procedure that is called, or of a topic that is published to, in names of spans and in metrics: of few
   * different values, where a URI contains an id. Default the URI. A callee and a subscriber use the URI of their
   * registration or subscription, which is a pattern or one of few.
   *
   * @example
   * nameOf: (uri) => uri.replace(/\.\d+\./, '..')
   */
  readonly nameOf?: ((uri: Uri) => string) | undefined
}

const OTEL_RULES: OptionRules<OtelOptions> = {
  kwargs: FLAG,
  fields: ['a list of fields, such as ["traceparent"]', (value) => Array.isArray(value) && value.every(isText)],
  nameOf: FUNCTION,
}

const CONTEXT_FIELDS: readonly string[] = ['traceparent', 'tracestate']

/** Seconds, as the conventions advise. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const HISTOGRAMS = {
  'rpc.client.call.duration': 'Duration of calls, as their caller sees it.',
  'rpc.server.call.duration': 'Duration of procedures.',
  'messaging.client.operation.duration': 'Duration of publications until they are sent or acknowledged.',
  'messaging.process.duration': 'Duration of handlers of events.',
} as const

/** A span and its duration. */
interface Traced {
  /** The context in which its span is active. */
  readonly within: Context
  /** Sets further attributes, which are made only for a span that is recorded. */
  describe(attributes: () => Attributes): void
  succeed(): void
  fail(error: unknown, type: string): void
}

/**
 * Traces calls, invocations, publications and events of a client, and measures their durations, by the providers that are
 * registered with `@opentelemetry/api`. A procedure runs in the context of its span, so that the calls within it belong to
 * the same trace; an event is linked to the publication. The first interceptor of the list, so that it measures the others.
 *
 * @example
 * const client = new WampClient({ interceptors: [otel()] })
 * @throws WampError `wampy.error.usage` for options that are not valid
 */
export function otel(options: OtelOptions = {}): Interceptor {
  checkRules('otel', options, OTEL_RULES)
  const { kwargs: inKwargs = false, fields = CONTEXT_FIELDS, nameOf = (uri: Uri) => uri } = options
  const tracer = trace.getTracer('wampy-ts', VERSION)
  const keys = fields.map((field) => `_${field}`)
  const setter: TextMapSetter<Record<string, unknown>> = {
    set(carrier, field, value) {
      if (fields.includes(field)) carrier[`_${field}`] = value
    },
  }
  const getter: TextMapGetter<Dict> = {
    get(carrier, field) {
      const value = fields.includes(field) ? carrier[`_${field}`] : undefined
      return isText(value) ? (value as string) : undefined
    },
    keys: (carrier) => fields.filter((field) => isText(carrier[`_${field}`])),
  }

  function begin(
    histogram: keyof typeof HISTOGRAMS,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context,
    links: Link[] = [],
  ): Traced {
    const span = tracer.startSpan(name, { kind, attributes, links }, parent)
    const began = performance.now()
    let ended = false
    const end = (further: Attributes): void => {
      ended = true
      span.end()
      histogramOf(histogram).record((performance.now() - began) / 1000, { ...attributes, ...further }, parent)
    }
    return {
      within: trace.setSpan(parent, span),
      describe: (further) => {
        if (span.isRecording()) span.setAttributes(further())
      },
      succeed: () => {
        if (!ended) end({})
      },
      fail: (error, type) => {
        if (ended) return
        if (span.isRecording()) {
          span.setAttribute('error.type', type)
          span.setStatus({ code: SpanStatusCode.ERROR, message: thrown(error).message })
          // An answer that a procedure gives is not an exception.
          if (!WampError.is(error)) record(span, error)
        }
        end({ 'error.type': type })
      },
    }
  }

  /** The request with the context of a span. */
  function carrying<R extends { readonly kwargs: Dict; readonly options: object }>(request: R, { within }: Traced): R {
    const carrier: Record<string, unknown> = {}
    propagation.inject(within, carrier, setter)
    const kwargs = inKwargs ? { ...request.kwargs, ...carrier } : request.kwargs
    return { ...request, kwargs, options: { ...request.options, ...carrier } }
  }

  /** Runs an operation in the context of its span, which ends with it. */
  async function within<T>(traced: Traced, operation: () => Promise<T>): Promise<T> {
    try {
      const result = await context.with(traced.within, operation)
      traced.succeed()
      return result
    } catch (error) {
      traced.fail(error, typeOfError(error))
      throw error
    }
  }

  /** The context that a message carries, and its kwargs without it. */
  function arrived(details: Dict, kwargs: Dict): { from: Context; kwargs: Dict } {
    const carrier = inKwargs ? { ...kwargs, ...details } : details
    const from = propagation.extract(ROOT_CONTEXT, carrier, getter)
    if (!inKwargs || !keys.some((key) => key in kwargs)) return { from, kwargs }
    return { from, kwargs: Object.fromEntries(Object.entries(kwargs).filter(([key]) => !keys.includes(key))) }
  }

  return {
    async call(request, next) {
      const { procedure } = request
      const method = nameOf(procedure)
      const traced = begin(
        'rpc.client.call.duration',
        method,
        SpanKind.CLIENT,
        { 'rpc.system.name': 'wamp', 'rpc.method': method },
        context.active(),
      )
      if (method !== procedure) traced.describe(() => ({ 'rpc.method_original': procedure }))
      return within(traced, () => next(carrying(request, traced)))
    },

    async publish(request, next) {
      const { topic } = request
      const name = nameOf(topic)
      const traced = begin(
        'messaging.client.operation.duration',
        `send ${name}`,
        SpanKind.PRODUCER,
        {
          'messaging.system': 'wamp',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          [name === topic ? 'messaging.destination.name' : 'messaging.destination.template']: name,
        },
        context.active(),
      )
      if (name !== topic) traced.describe(() => ({ 'messaging.destination.name': topic }))
      return within(traced, async () => {
        const publication = await next(carrying(request, traced))
        if (publication !== undefined) traced.describe(() => ({ 'messaging.message.id': String(publication) }))
        return publication
      })
    },

    async invocation(request, next) {
      const { procedure, invocation, registration } = request
      const { from, kwargs } = arrived(request.details, request.kwargs)
      const method = registration.uri
      const traced = begin(
        'rpc.server.call.duration',
        method,
        SpanKind.SERVER,
        { 'rpc.system.name': 'wamp', 'rpc.method': method },
        from,
      )
      if (method !== procedure) traced.describe(() => ({ 'rpc.method_original': procedure }))
      const succeed = (): void => {
        // The caller has not waited for it. The signal is read last, because a procedure that reads it ends by itself.
        const reason: unknown = invocation.canceled ? invocation.signal.reason : undefined
        if (reason === undefined) traced.succeed()
        else fail(reason)
      }
      const fail = (error: unknown): void =>
        // What a caller receives for anything but a WampError.
        traced.fail(error, WampError.is(error) ? error.uri : 'wamp.error.runtime_error')
      try {
        const passed = kwargs === request.kwargs ? request : { ...request, kwargs }
        const result = await context.with(traced.within, next, undefined, passed)
        if (isAsyncIterable(result)) return streamed(result, traced.within, succeed, fail)
        succeed()
        return result
      } catch (error) {
        fail(error)
        throw error
      }
    },

    async event(request, next) {
      const { topic, details, subscription } = request
      const { from, kwargs } = arrived(details, request.kwargs)
      const name = subscription.uri
      const creation = trace.getSpanContext(from)
      const traced = begin(
        'messaging.process.duration',
        `process ${name}`,
        SpanKind.CONSUMER,
        {
          'messaging.system': 'wamp',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          [name === topic ? 'messaging.destination.name' : 'messaging.destination.template']: name,
        },
        // Not the context in which the client was started, which every event would have.
        ROOT_CONTEXT,
        creation ? [{ context: creation }] : [],
      )
      traced.describe(() => ({
        'messaging.destination.name': topic,
        'messaging.message.id': String(details.publication),
      }))
      return within(traced, () => next(kwargs === request.kwargs ? request : { ...request, kwargs }))
    },
  }
}

/** The histograms of the provider that is registered now: it may be registered after the interceptor was made. */
const histograms = new WeakMap<object, Map<string, Histogram>>()

function histogramOf(name: keyof typeof HISTOGRAMS): Histogram {
  const provider = metrics.getMeterProvider()
  const known = histograms.get(provider) ?? new Map<string, Histogram>()
  histograms.set(provider, known)
  const found =
    known.get(name) ??
    provider.getMeter('wampy-ts', VERSION).createHistogram(name, {
      unit: 's',
      description: HISTOGRAMS[name],
      advice: { explicitBucketBoundaries: BOUNDARIES },
    })
  known.set(name, found)
  return found
}

/** Any value can be thrown, also one that cannot be read. */
function record(span: Span, error: unknown): void {
  try {
    span.recordException(error instanceof Error ? error : thrown(error).message)
  } catch {}
}

/** The URI of an error, or the name of its class. */
function typeOfError(error: unknown): string {
  return WampError.is(error) ? error.uri : (nameOfError(error) ?? '_OTHER')
}

function nameOfError(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** The parts of a generator, each of which it makes in the context of its span. */
function streamed(
  iterable: AsyncIterable<unknown>,
  within: Context,
  succeed: () => void,
  fail: (error: unknown) => void,
): AsyncIterable<unknown> {
  const step = async (run: () => Promise<IteratorResult<unknown>>, last: boolean): Promise<IteratorResult<unknown>> => {
    try {
      const result = await context.with(within, run)
      if (result.done || last) succeed()
      return result
    } catch (error) {
      fail(error)
      throw error
    }
  }
  return {
    [Symbol.asyncIterator]() {
      const iterator = context.with(within, () => iterable[Symbol.asyncIterator]())
      return {
        next: () => step(() => iterator.next(), false),
        // The caller has left.
        return: () => step(async () => (await iterator.return?.()) ?? { done: true, value: undefined }, true),
      }
    },
  }
}
