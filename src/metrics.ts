/** The entry point `wampy-ts/metrics`: the numbers of a router, for Prometheus and for programs; it runs in a page too. */

export type { Sample } from './operations/exposition.ts'
export { type Measurable, type Metrics, type MetricsOptions, metrics } from './operations/metrics.ts'
