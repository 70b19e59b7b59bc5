/** Identifiers: their range, a session's sequence, and random ones. */

import type { Id } from './messages.ts'

/** 2^53, one above Number.MAX_SAFE_INTEGER: the greatest valid id (Basic Profile, Identifiers). */
export const MAX_ID = 2 ** 53

/** True if a value is a valid id. `Number.isSafeInteger` would reject 2^53. */
export function isId(value: unknown): value is Id {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ID
}

/** The id that follows in a session's sequence: 1, 2, ... 2^53, 1. */
export function nextId(id: Id): Id {
  return id === MAX_ID ? 1 : id + 1
}

// Random ids are drawn in batches: one system call for 256 ids instead of one for each publication.
const POOL = 512
const pool = /* @__PURE__ */ new Uint32Array(POOL)
let poolPosition = POOL

/** Returns an id drawn uniformly from 1 to 2^53 by the platform's cryptographic source (global scope). */
export function randomId(): Id {
  if (poolPosition === POOL) {
    crypto.getRandomValues(pool)
    poolPosition = 0
  }
  const high = (pool[poolPosition] as number) & 0x1fffff
  const low = pool[poolPosition + 1] as number
  poolPosition += 2
  return high * 2 ** 32 + low + 1
}
