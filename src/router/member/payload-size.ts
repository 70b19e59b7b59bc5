/** The size of a stored payload in bytes: exact if it came from a wire, an estimate for values. */

import type { Payload } from '../../protocol/payload.ts'
import { isBytes } from '../../protocol/validate.ts'

/** The overhead of a stored payload, so that empty ones are not free. */
const RECORD = 256
const OBJECT = 32
const VALUE = 8

/** `beside` is stored with it: a topic, options. */
export function weightOf(payload: Payload | undefined, ...beside: readonly unknown[]): number {
  let weight = RECORD
  for (const value of beside) weight += valueWeight(value)
  if (!payload) return weight
  const { source } = payload
  return weight + (source ? source.end - source.start : valueWeight(payload.args) + valueWeight(payload.kwargs))
}

/** The values have been checked: they have no cycles and a bounded depth. */
function valueWeight(value: unknown): number {
  if (typeof value === 'string') return VALUE + value.length
  if (typeof value !== 'object' || value === null) return VALUE
  if (isBytes(value)) return OBJECT + value.length
  let weight = OBJECT
  if (Array.isArray(value)) for (const item of value) weight += valueWeight(item)
  else for (const [key, item] of Object.entries(value)) weight += key.length + valueWeight(item)
  return weight
}
