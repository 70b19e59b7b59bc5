/** Latencies in a histogram of fixed size: the percentiles of any number of requests. */

import { createHistogram } from 'node:perf_hooks'

/** In milliseconds; the percentiles are exact to 0.1 %. */
export interface LatencySummary {
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  /** The 99.9th percentile. */
  readonly p999: number
  readonly max: number
}

/** Microseconds: an hour, beyond which a latency counts as an hour. */
const LONGEST = 3_600_000_000

export class Latencies {
  // In microseconds, because the histogram takes whole numbers from 1.
  readonly #histogram = createHistogram({ lowest: 1, highest: LONGEST, figures: 3 })

  get count(): number {
    return this.#histogram.count
  }

  /** Adds a latency in milliseconds. */
  add(latency: number): void {
    this.#histogram.record(Math.min(LONGEST, Math.max(1, Math.round(latency * 1000))))
  }

  /** Undefined if there is no latency. */
  summary(): LatencySummary | undefined {
    const histogram = this.#histogram
    if (histogram.count === 0) return undefined
    const at = (percent: number): number => inMilliseconds(histogram.percentile(percent))
    return {
      min: inMilliseconds(histogram.min),
      mean: inMilliseconds(histogram.mean),
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: inMilliseconds(histogram.max),
    }
  }
}

const inMilliseconds = (microseconds: number): number => Math.round(microseconds) / 1000

/** `p50 1.02  p90 3.4`, in milliseconds with three digits. */
export function formatLatencies(summary: LatencySummary): string {
  const shown = Object.entries<number>({ ...summary }).map(
    ([name, value]) => `${name === 'p999' ? 'p99.9' : name} ${formatMilliseconds(value)}`,
  )
  return shown.join('  ')
}

/** Three significant digits: 0.412, 12.3, 1234. */
export function formatMilliseconds(value: number): string {
  return value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}
