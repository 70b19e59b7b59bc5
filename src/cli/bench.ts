/** `wampy-ts bench`: puts load on a router and prints throughput and latencies. */

import type { Client } from '../client/client.ts'
import { WampClient } from '../client/wamp-client.ts'
import { WampError } from '../protocol/error.ts'
import { randomId } from '../protocol/ids.ts'
import { TIMEOUT } from '../protocol/names.ts'
import { anyOf, isOneOf } from '../protocol/words.ts'
import { BenchLoad, type BenchResult } from './bench-load.ts'
import { type ConnectionTarget, connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption, integerOption } from './define-command.ts'
import { Failure, usageFailure } from './failure.ts'
import { formatLatencies, formatMilliseconds } from './latencies.ts'
import { printRow, rateOption } from './load.ts'
import { isJson, printJson, printLine, styled, toLine } from './output.ts'
import { showProgress } from './progress-bar.ts'
import { stopOnSignals, stoppedBy } from './signals.ts'

const KINDS = ['rpc', 'pubsub'] as const

/** Sessions that join at once. */
const JOINING = 20

export const benchCommand = defineCommand({
  name: 'bench',
  summary: 'Puts load on a router, and prints throughput and latencies.',
  required: [KINDS.join('|')],
  choices: KINDS,
  options: {
    clients: { type: 'string', value: 'n', help: 'sessions that call or publish (default: 10)' },
    concurrency: {
      type: 'string',
      value: 'n',
      help: 'calls or events in progress, of all clients (default: one each)',
    },
    subscribers: { type: 'string', value: 'n', help: 'for pubsub: sessions that receive each event (default: 1)' },
    duration: { type: 'string', value: 's', help: 'seconds to measure (default: 10, or until --count is reached)' },
    count: { type: 'string', value: 'n', help: 'end after this number of calls or events' },
    size: { type: 'string', value: 'bytes', help: 'characters in the argument of a call or event (default: 128)' },
    rate: {
      type: 'string',
      value: 'n/s',
      help: 'calls or events per second, such as 50/s (default: as many as possible)',
    },
    'warm-up': { type: 'string', value: 's', help: 'seconds before measuring begins (default: 1)' },
    timeout: { type: 'string', value: 'ms', help: 'a call or event that takes longer has failed (default: 10000)' },
    ...connectionOptions,
  },
  json: 'print the summary as one line of JSON, with latencies in milliseconds',
  notes: `rpc calls an echo procedure, and pubsub publishes events and waits until the router has acknowledged and every subscriber has
received each. The command brings both ends along, under a URI of its own below wampy_ts.bench, so that it disturbs nobody and
measures router, network and this process together: one process can ask of a router about what one core can do.
With --rate a latency counts from the time when the call or event was due, so that a slow router cannot hide by delaying the next
one. Calls and events that fail are counted by the URI of their error. SIGINT and SIGTERM end it with the summary so far and
exit code 130 or 143. Exit code 1 if none succeeded.`,
  examples: [
    'wampy-ts bench rpc',
    'wampy-ts bench rpc --clients 50 --concurrency 500 --duration 30 --size 1024',
    'wampy-ts bench pubsub --subscribers 100 --rate 200/s --json | jq .latency.p99',
  ],
  async run(values, [kind]) {
    const target = connectionTarget(values)
    if (!isOneOf(KINDS, kind)) throw usageFailure(`the kind of load must be ${anyOf(KINDS)}, got "${kind}"`)
    const whole = (
      name: 'clients' | 'concurrency' | 'subscribers' | 'count',
      otherwise: number,
      most?: number,
    ): number => (values[name] === undefined ? otherwise : integerOption(name, values[name], 1, most))
    const clients = whole('clients', 10, 10_000)
    const concurrency = whole('concurrency', clients, 100_000)
    const subscribers = whole('subscribers', 1, 10_000)
    if (kind === 'rpc' && values.subscribers !== undefined) throw usageFailure('--subscribers belongs to pubsub')
    const count = values.count === undefined ? undefined : whole('count', 1)
    const seconds = secondsOption('duration', values.duration)
    const duration = count === undefined ? (seconds ?? 10_000) : seconds
    const size = values.size === undefined ? 128 : integerOption('size', values.size, 0, 64 * 1024 * 1024)
    const rate = values.rate === undefined ? undefined : rateOption(values.rate)
    const warmUp = secondsOption('warm-up', values['warm-up']) ?? 1000
    const timeout = durationOption('timeout', values.timeout) ?? 10_000
    const stop = stopOnSignals()
    const bench = new Bench(target, stop.signal, timeout, 'x'.repeat(size))
    try {
      const operation = kind === 'rpc' ? await bench.calling(clients) : await bench.publishing(clients, subscribers)
      const load = new BenchLoad({ concurrency, count, duration, rate, warmUp, signal: stop.signal }, operation)
      const hide = showProgress(
        () => progressText(load, kind),
        () => load.progress,
      )
      const summary = await load.run().finally(hide)
      const receiving = kind === 'pubsub' && { subscribers }
      const setting = { kind, clients, concurrency, ...receiving, size, ...(rate && { rate }) }
      if (isJson()) printJson({ ...setting, ...summary })
      else printResult(setting, summary)
      const stopped = stoppedBy(stop.signal)
      if (stopped) throw new Failure(`${stopped.name} ended it early`, stopped.exitCode)
      if (summary.ok === 0) throw new Failure('nothing succeeded')
    } catch (error) {
      const stopped = stoppedBy(stop.signal)
      if (stopped && !(error instanceof Failure && error.exitCode === stopped.exitCode)) {
        throw new Failure(`${stopped.name} ended it before the load began`, stopped.exitCode)
      }
      throw error
    } finally {
      await bench.close()
    }
  },
})

/** Seconds, with a fraction, as milliseconds. */
function secondsOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : -1
  if (seconds >= 0 && seconds <= 1_000_000 && (seconds > 0 || option === 'warm-up')) return seconds * 1000
  throw usageFailure(`--${option} must be a number of seconds, at most 1000000, got "${text}"`)
}

/** The sessions of a benchmark. */
class Bench {
  readonly #target: ConnectionTarget
  readonly #signal: AbortSignal
  readonly #timeout: number
  readonly #text: string
  readonly #started: Client[] = []
  // Lower case letters and digits: a strict router accepts nothing else.
  readonly #uri = `wampy_ts.bench.r${randomId().toString(36)}`

  constructor(target: ConnectionTarget, signal: AbortSignal, timeout: number, text: string) {
    this.#target = target
    this.#signal = signal
    this.#timeout = timeout
    this.#text = text
  }

  /** Returns an operation that calls an echo procedure. */
  async calling(count: number): Promise<(slot: number) => Promise<void>> {
    const procedure = `${this.#uri}.echo`
    const [callee] = (await this.#start(1, ['callee'])) as [WampClient]
    await callee.register(procedure, ([text]) => text)
    const callers = await this.#start(count, ['caller'])
    return async (slot) => {
      const options = { timeout: this.#timeout, waitForReady: true }
      await (callers[slot % count] as Client).call(procedure, [this.#text], {}, options)
    }
  }

  /** Returns an operation that publishes an event and waits for its receivers. */
  async publishing(count: number, receivers: number): Promise<(slot: number) => Promise<void>> {
    const topic = `${this.#uri}.event`
    const expected = new Map<unknown, () => void>()
    for (const subscriber of await this.#start(receivers, ['subscriber'])) {
      await subscriber.subscribe(topic, ([id]) => expected.get(id)?.())
    }
    const publishers = await this.#start(count, ['publisher'])
    let last = 0
    return async (slot) => {
      const id = ++last
      const received = new Promise<void>((resolve, reject) => {
        let left = receivers
        const late = setTimeout(
          () => reject(new WampError(TIMEOUT, ['an event was not received in time'])),
          this.#timeout,
        )
        expected.set(id, () => {
          if (--left > 0) return
          clearTimeout(late)
          resolve()
        })
      })
      const options = { acknowledge: true, timeout: this.#timeout, waitForReady: true }
      try {
        await Promise.all([
          (publishers[slot % count] as Client).publish(topic, [id, this.#text], {}, options),
          received,
        ])
      } finally {
        expected.delete(id)
      }
    }
  }

  async #start(
    count: number,
    roles: readonly ('caller' | 'callee' | 'publisher' | 'subscriber')[],
  ): Promise<WampClient[]> {
    const made: WampClient[] = []
    while (made.length < count) {
      const some = Array.from({ length: Math.min(JOINING, count - made.length) }, () => {
        const client = new WampClient({ ...this.#target.options, name: 'wampy-ts bench', roles: [...roles] })
        // Counted by the operations that it makes fail.
        client.on('error', () => {})
        return client
      })
      made.push(...some)
      this.#started.push(...some)
      await Promise.all(some.map((client) => startClient(client, this.#target, this.#signal)))
    }
    return made
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((client) => client.stop()))
  }
}

const NOUNS = { rpc: 'calls', pubsub: 'events' } as const

function progressText(load: BenchLoad, kind: (typeof KINDS)[number]): string {
  if (!load.isMeasuring) return 'warming up'
  const perSecond = load.seconds > 0 ? Math.round(load.ok / load.seconds) : 0
  const failed = [...load.errors.values()].reduce((sum, each) => sum + each, 0)
  return [
    `${grouped(load.ok)} ${NOUNS[kind]}`,
    `${grouped(perSecond)}/s`,
    `p99 ${formatMilliseconds(load.latencies.summary()?.p99 ?? 0)} ms`,
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
  ].join('  ')
}

function printResult(
  { kind, clients, concurrency, subscribers, size, rate }: BenchSetting,
  { ok, failed, errors, seconds, perSecond, latency }: BenchResult,
): void {
  const receiving = subscribers === undefined ? '' : `, ${subscribers} subscriber${subscribers === 1 ? '' : 's'}`
  const paced = rate === undefined ? '' : `, ${grouped(rate)}/s wanted`
  printLine(
    `${kind}: ${clients} client${clients === 1 ? '' : 's'}${receiving}, ${concurrency} ${NOUNS[kind]} at a time, ${size} bytes${paced}`,
  )
  printRow('ok', grouped(ok))
  printRow('failed', failed > 0 ? styled('red', grouped(failed)) : '0')
  for (const [uri, count] of Object.entries(errors)) printRow('', `${grouped(count)} ${toLine(uri).slice(0, -1)}`)
  printRow('throughput', `${grouped(perSecond)}/s in ${seconds} s`)
  if (latency) printRow('latency ms', formatLatencies(latency))
}

interface BenchSetting {
  readonly kind: (typeof KINDS)[number]
  readonly clients: number
  readonly concurrency: number
  readonly subscribers?: number
  readonly size: number
  readonly rate?: number
}

const grouped = (number: number): string => number.toLocaleString('en')
