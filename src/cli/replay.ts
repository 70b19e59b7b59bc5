/** `wampy-ts replay`: publishes the events of a recording. */

import { createReadStream } from 'node:fs'
import type { Client } from '../client/client.ts'
import { RpcClient } from '../client/rpc-client.ts'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { WampError } from '../protocol/error.ts'
import { isUri } from '../protocol/uri.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { Failure, formatError, usageFailure } from './failure.ts'
import { printNotice, printStatus } from './output.ts'
import { eventsText } from './record.ts'
import { type RecordedEvent, readRecording } from './recording.ts'
import { stopOnSignals, stoppedBy } from './signals.ts'

/** Publications that may wait for their acknowledgement; beyond that no more of the recording is read. */
const IN_FLIGHT = 256

/** Milliseconds to wait for acknowledgements after a signal or a failure. */
const LAST_ANSWERS = 1000

export const replayCommand = defineCommand({
  name: 'replay',
  summary: 'Publishes the events of a recording, at their original intervals.',
  required: ['file'],
  options: {
    speed: { type: 'string', value: 'factor', help: 'the intervals divided by this: 2 is twice as fast (default: 1)' },
    fast: { type: 'boolean', help: 'without any interval, as fast as the router acknowledges' },
    loop: { type: 'boolean', help: 'begin again at the end, until a signal' },
    'topic-prefix': {
      type: 'string',
      value: 'uri',
      help: 'publish to topics below this: com.test turns com.example.tick into com.test.com.example.tick',
    },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for an acknowledgement (default: 10000)' },
    ...connectionOptions,
  },
  json: 'print the result as JSON: {"published":12,"seconds":3.5}',
  notes: `The file is one of wampy-ts record; - reads standard input. Other programs may write it: a line needs a topic, and may have
args, kwargs and time (a text as RFC 3339 writes it, or milliseconds); a line without a time follows at once. The file is read
as it is published, so it may be of any size. Events are published in their order and acknowledged by the router: one that is
refused, and a line that is not an event, end the command with exit code 1, the number of the line, and the number of events
published before. SIGINT and SIGTERM end it with that number and exit code 130 or 143, or 0 with --loop.`,
  examples: [
    'wampy-ts replay ticks.jsonl',
    'wampy-ts replay ticks.jsonl --speed 10 --topic-prefix com.test',
    'gunzip -c ticks.jsonl.gz | wampy-ts replay - --fast',
  ],
  async run(values, [path = '']) {
    const target = connectionTarget(values)
    const { fast, loop, 'topic-prefix': prefix } = values
    const timeout = durationOption('timeout', values.timeout) ?? 10_000
    if (fast && values.speed !== undefined) throw usageFailure('--fast and --speed exclude one another')
    if (loop && path === '-') throw usageFailure('--loop needs a file: standard input can be read once')
    if (prefix !== undefined && !isUri(prefix)) throw usageFailure(`--topic-prefix must be a URI, got "${prefix}"`)
    const speed = fast ? Number.POSITIVE_INFINITY : speedOption(values.speed ?? '1')
    const stop = stopOnSignals()
    const client = new RpcClient({ ...target.options, name: 'wampy-ts replay', roles: ['publisher'] })
    const name = path === '-' ? 'standard input' : path
    const ending = new AbortController()
    stop.signal.addEventListener('abort', () => ending.abort(), { once: true })
    const publisher = new ReplayPublisher(client, prefix === undefined ? '' : `${prefix}.`, timeout, ending)
    // A lost connection leaves open which events have arrived: another one must not go on as if all had.
    client.on('lost', ({ message }) => publisher.fail(new Failure(`lost the router at ${target.url}: ${message}`)))
    let began = performance.now()
    try {
      await startClient(client, target, stop.signal)
      began = performance.now()
      do {
        const before = publisher.begun
        for await (const event of paced(readRecording(inputFrom(path, ending.signal), name), speed, ending.signal)) {
          await publisher.publish(event)
        }
        if (loop && publisher.begun === before) throw new Failure(`${path} has no events`)
      } while (loop && !ending.signal.aborted)
      await publisher.finished()
      if (stop.signal.aborted) await publisher.settled(LAST_ANSWERS)
    } catch (error) {
      await publisher.settled(LAST_ANSWERS)
      if (!stop.signal.aborted || publisher.failure) {
        if (publisher.begun > 0) printNotice(`published ${eventsText(publisher.acknowledged)} before that`)
        throw publisher.failure ?? error
      }
    } finally {
      await client.stop()
    }
    const open = publisher.begun - publisher.acknowledged
    if (open > 0) printNotice(`${eventsText(open)} more may have been published: the router has not acknowledged that`)
    const seconds = Math.round(performance.now() - began) / 1000
    printStatus(`published ${eventsText(publisher.acknowledged)} in ${seconds} s`, {
      published: publisher.acknowledged,
      seconds,
    })
    const stopped = loop ? undefined : stoppedBy(stop.signal)
    if (stopped) throw new Failure(`${stopped.name} ended it early`, stopped.exitCode)
  },
})

function speedOption(text: string): number {
  const speed = /^\d*\.?\d+$/.test(text) ? Number(text) : 0
  if (speed > 0 && speed <= 1e6) return speed
  throw usageFailure(`--speed must be a number above 0, at most 1000000, got "${text}"`)
}

function inputFrom(path: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  if (path !== '-') return createReadStream(path, { signal })
  signal.addEventListener('abort', () => process.stdin.destroy(), { once: true })
  return process.stdin
}

/** Returns each event at its time, relative to the first one. An event that is late follows at once. */
async function* paced(
  events: AsyncIterable<RecordedEvent>,
  speed: number,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent, void, undefined> {
  let first: { readonly time: number; readonly at: number } | undefined
  for await (const event of events) {
    if (event.time !== undefined && speed !== Number.POSITIVE_INFINITY) {
      first ??= { time: event.time, at: performance.now() }
      await waitUntil(first.at + (event.time - first.time) / speed, signal)
    }
    if (signal.aborted) return
    yield event
  }
}

/** Resolves at a moment of `performance.now()`, or when the signal aborts. */
async function waitUntil(moment: number, signal: AbortSignal): Promise<void> {
  for (let left = moment - performance.now(); left > 0 && !signal.aborted; left = moment - performance.now()) {
    await new Promise<void>((resolve) => {
      const over = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', over)
        resolve()
      }
      const timer = setTimeout(over, Math.min(left, LONGEST_TIMER))
      signal.addEventListener('abort', over, { once: true })
    })
  }
}

/** Publishes in order, with a bounded number of publications that wait for their acknowledgement. */
class ReplayPublisher {
  readonly #client: Client
  readonly #prefix: string
  readonly #timeout: number
  readonly #ending: AbortController
  readonly #pending = new Set<Promise<void>>()
  #wake = (): void => {}
  begun = 0
  acknowledged = 0
  failure: Failure | undefined

  constructor(client: Client, prefix: string, timeout: number, ending: AbortController) {
    this.#client = client
    this.#prefix = prefix
    this.#timeout = timeout
    this.#ending = ending
    ending.signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  fail(failure: Failure): void {
    this.failure ??= failure
    this.#ending.abort()
  }

  /** Resolves when there is room for the next publication. */
  async publish({ place, topic, args, kwargs }: RecordedEvent): Promise<void> {
    const { signal } = this.#ending
    while (this.#pending.size >= IN_FLIGHT && !signal.aborted) await this.#change()
    if (signal.aborted) return
    this.begun++
    const published = this.#client
      .publish(this.#prefix + topic, args, kwargs, { acknowledge: true, timeout: this.#timeout })
      .then(
        () => {
          this.acknowledged++
        },
        (error: unknown) => {
          const text = WampError.is(error) ? formatError(error) : String(error)
          this.fail(new Failure(`${place}: ${text}`))
        },
      )
      .finally(() => {
        this.#pending.delete(published)
        this.#wake()
      })
    this.#pending.add(published)
  }

  /** Resolves when everything is acknowledged, or when the end is near; rejects with the first failure. */
  async finished(): Promise<void> {
    while (this.#pending.size > 0 && !this.#ending.signal.aborted) await this.#change()
    if (this.failure) throw this.failure
  }

  /** Resolves when a publication is settled, or when the end is near. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Resolves when everything is acknowledged or refused, at most after this number of milliseconds. */
  async settled(most: number): Promise<void> {
    let late: NodeJS.Timeout | undefined
    const waited = new Promise((resolve) => {
      late = setTimeout(resolve, most)
    })
    await Promise.race([Promise.all(this.#pending), waited])
    clearTimeout(late)
  }
}
