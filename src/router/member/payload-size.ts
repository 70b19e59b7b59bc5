/** What a payload costs that is kept, in bytes: exact for what came from a wire, a fair guess for values. */

import type { Payload } from '../../protocol/payload.ts'

/** What the record around a payload costs, so that empty ones are not free. */
const RECORD = 256
const OBJECT = 32
const VALUE = 8

/** `beside` is what else is kept with it: a topic, options. */
export function weightOf(payload: Payload | undefined, ...beside: readonly unknown[]): number {
  let weight = RECORD
  for (const value of beside) weight += valueWeight(value)
  if (!payload) return weight
  const { source } = payload
  return weight + (source ? source.end - source.start : valueWeight(payload.args) + valueWeight(payload.kwargs))
}

/** The values were checked when they came: neither a cycle nor an abyss can be among them. */
function valueWeight(value: unknown): number {
  if (typeof value === 'string') return VALUE + value.length
  if (typeof value !== 'object' || value === null) return VALUE
  if (value instanceof Uint8Array) return OBJECT + value.length
  let weight = OBJECT
  if (Array.isArray(value)) for (const item of value) weight += valueWeight(item)
  else for (const [key, item] of Object.entries(value)) weight += key.length + valueWeight(item)
  return weight
}
