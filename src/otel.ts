/** The entry point `wampy-ts/otel`: traces and durations of what a client does, by OpenTelemetry. */

// Types in the signatures below: those of an interceptor. They add nothing at run time.
export type * from './auth/contract.ts'
export type * from './index.ts'
export { type OtelOptions, otel } from './operations/otel.ts'
