/** Chooses the callee that answers a call: one registration, several callees, five invoke policies. */

import type { Destination } from '../member/destination.ts'
import type { CalleeEndpoint, DealerRegistration } from './registrations.ts'

/** Every remaining callee has reached its concurrency limit. */
export const FULL = Symbol('full')

/**
 * Returns the next callee that has not declined the call, or undefined if none is left. As in Crossbar.io, policies that
 * spread calls skip a callee at its concurrency limit; with the other policies such a callee makes the call wait.
 */
export function chooseCallee(
  registration: DealerRegistration,
  declined?: ReadonlySet<Destination>,
): CalleeEndpoint | typeof FULL | undefined {
  const { endpoints } = registration
  switch (registration.invoke) {
    case 'roundrobin':
      return next(registration, declined)
    case 'random':
      return drawn(endpoints, declined)
    case 'last':
      for (let i = endpoints.length - 1; i >= 0; i--) {
        const endpoint = endpoints[i] as CalleeEndpoint
        if (!declined?.has(endpoint.callee)) return isFull(endpoint) ? FULL : endpoint
      }
      return undefined
    case 'single':
    case 'first':
      for (const endpoint of endpoints) {
        if (!declined?.has(endpoint.callee)) return isFull(endpoint) ? FULL : endpoint
      }
      return undefined
  }
}

function next(
  registration: DealerRegistration,
  declined: ReadonlySet<Destination> | undefined,
): CalleeEndpoint | typeof FULL | undefined {
  const { endpoints } = registration
  let found: typeof FULL | undefined
  for (let passed = 0; passed < endpoints.length; passed++) {
    const at = (registration.turn + passed) % endpoints.length
    const endpoint = endpoints[at] as CalleeEndpoint
    if (declined?.has(endpoint.callee)) continue
    if (!isFull(endpoint)) {
      registration.turn = at + 1
      return endpoint
    }
    found = FULL
  }
  return found
}

function drawn(
  endpoints: readonly CalleeEndpoint[],
  declined: ReadonlySet<Destination> | undefined,
): CalleeEndpoint | typeof FULL | undefined {
  const first = endpoints[Math.floor(Math.random() * endpoints.length)]
  if (!first || (!declined?.has(first.callee) && !isFull(first))) return first
  const left = declined ? endpoints.filter(({ callee }) => !declined.has(callee)) : endpoints
  const free = left.filter((endpoint) => !isFull(endpoint))
  return free[Math.floor(Math.random() * free.length)] ?? (left.length > 0 ? FULL : undefined)
}

/** A callee was removed: the turn of the others does not change. */
export function keepTurn(registration: DealerRegistration, left: number): void {
  if (left < registration.turn) registration.turn--
}

function isFull({ concurrency, running }: CalleeEndpoint): boolean {
  return concurrency > 0 && running >= concurrency
}
