/** `--repeat`, `--concurrency` and `--rate`: one request many times, and a summary of how it went. */

import { setMaxListeners } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../client/client.ts'
import { WampError } from '../protocol/error.ts'
import type { CommandOptions, OptionValues } from './define-command.ts'
import { integerOption } from './define-command.ts'
import { Failure, usageFailure } from './failure.ts'
import { formatLatencies, Latencies, type LatencySummary } from './latencies.ts'
import { isJson, printJson, styled } from './output.ts'
import { stopOnSignals, stoppedBy } from './signals.ts'

export const loadOptions = {
  repeat: { type: 'string', value: 'n', help: 'do it n times and print a summary (default with --rate: until SIGINT)' },
  concurrency: { type: 'string', value: 'n', help: 'requests at a time (default: 1, with --rate 100)' },
  rate: { type: 'string', value: 'n/s', help: 'requests per second at most, such as 50/s or 0.5/s' },
} as const satisfies CommandOptions

/** A paragraph for the help of commands that repeat. */
export const LOAD = `With --repeat, --concurrency or --rate it sends the request again and again and prints a summary: how many succeeded and failed,
by error URI, the throughput, and the latencies of those that succeeded. The exit code is 1 if one failed. SIGINT and SIGTERM end it
early, with the summary of the requests so far and exit code 130 or 143.`

/** What the options ask for. */
export interface LoadPlan {
  readonly repeat: number
  readonly concurrency: number
  /** Requests per second. */
  readonly rate: number | undefined
}

/** Undefined if no option asks for it. */
export function loadPlan({ repeat, concurrency, rate }: OptionValues<typeof loadOptions>): LoadPlan | undefined {
  if (repeat === undefined && concurrency === undefined && rate === undefined) return undefined
  return {
    repeat: repeat === undefined ? Number.POSITIVE_INFINITY : integerOption('repeat', repeat, 1),
    concurrency:
      concurrency === undefined ? (rate === undefined ? 1 : 100) : integerOption('concurrency', concurrency, 1, 10_000),
    rate: rate === undefined ? undefined : rateOption(rate),
  }
}

/** Parses the value of `--rate`: requests per second. */
export function rateOption(text: string): number {
  const number = /^(?:\d+\.?\d*|\.\d+)(?:\/s)?$/.test(text) ? Number.parseFloat(text) : Number.NaN
  if (number >= 0.001 && number <= 1_000_000) return number
  throw usageFailure(`--rate must be a number per second, 0.001/s to 1000000/s, got "${text}"`)
}

/** The document of `--json`; times are in milliseconds but for `seconds`. */
interface LoadReport {
  readonly ok: number
  readonly failed: number
  /** Requests in progress when a signal ended the load. */
  readonly unfinished: number
  /** The failed ones by their error URI. */
  readonly errors: Readonly<Record<string, number>>
  readonly seconds: number
  /** Requests that were answered, per second. */
  readonly perSecond: number
  /** Of the requests that succeeded. */
  readonly latency?: LatencySummary
}

/** Different error URIs that are counted by name: a peer may invent any number of them. */
export const MOST_URIS = 100

/** Milliseconds of the rate that may be made up for after a delay. */
const CATCH_UP = 100

/**
 * Sends a request as often as the plan says, and prints the summary.
 *
 * @throws Failure if a request failed, or if a signal ended it (exit code 130 or 143)
 */
export async function runLoad(
  { repeat, concurrency, rate }: LoadPlan,
  client: Client,
  request: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const { signal } = stopOnSignals()
  // Each request in progress listens to it.
  setMaxListeners(0, signal)
  const latencies = new Latencies()
  const errors = new Map<string, number>()
  const [began, interval] = [performance.now(), rate === undefined ? 0 : 1000 / rate]
  let [started, failed, unfinished, next] = [0, 0, 0, began]

  const turn = async (): Promise<void> => {
    const now = performance.now()
    const due = Math.max(next, now - CATCH_UP)
    next = due + interval
    // Without a pause, requests that fail at once would not let a signal in.
    await (due > now ? sleep(due - now, undefined, { signal }) : setImmediate(undefined, { signal }))
  }
  const one = async (): Promise<void> => {
    const sent = performance.now()
    try {
      await request(signal)
      latencies.add(performance.now() - sent)
    } catch (error) {
      if (signal.aborted) {
        unfinished++
        return
      }
      failed++
      const uri = WampError.is(error) ? error.uri : 'wampy.error.usage'
      const name = errors.has(uri) || errors.size < MOST_URIS ? uri : 'others'
      errors.set(name, (errors.get(name) ?? 0) + 1)
    }
  }
  const worker = async (): Promise<void> => {
    while (started < repeat && !signal.aborted) {
      started++
      try {
        await turn()
      } catch {
        return
      }
      await one()
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, repeat) }, worker))

  const seconds = (performance.now() - began) / 1000
  const latency = latencies.summary()
  const stopped = stoppedBy(signal)
  // A terminal has shown ^C at the beginning of the line.
  if (stopped && process.stdout.isTTY && !isJson()) process.stdout.write('\n')
  printReport({
    ok: latencies.count,
    failed,
    unfinished,
    errors: Object.fromEntries([...errors].sort(([, one], [, other]) => other - one)),
    seconds: Math.round(seconds * 1000) / 1000,
    perSecond: Math.round(((latencies.count + failed) / seconds) * 10) / 10,
    ...(latency && { latency }),
  })
  await client.stop()
  if (stopped) throw new Failure(`${stopped.name} ended it early`, stopped.exitCode)
  if (failed > 0) throw new Failure(`${failed} of ${latencies.count + failed} failed`)
}

function printReport(report: LoadReport): void {
  if (isJson()) {
    printJson(report)
    return
  }
  const { ok, failed, unfinished, errors, seconds, perSecond, latency } = report
  printRow('ok', String(ok))
  printRow('failed', failed > 0 ? styled('red', String(failed)) : '0')
  for (const [uri, count] of Object.entries(errors)) printRow('', `${count} ${uri}`)
  if (unfinished > 0) printRow('unfinished', String(unfinished))
  printRow('throughput', `${perSecond}/s in ${seconds} s`)
  if (latency) printRow('latency ms', formatLatencies(latency))
}

/** Prints a line of a summary. */
export function printRow(name: string, value: string): void {
  process.stdout.write(`${styled('bold', name.padEnd(12))}${value}\n`)
}
