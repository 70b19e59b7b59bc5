/** The options that this router does not know how to honour, and whose silent neglect would change what is asked. */

import type { Dict } from '../protocol/options.ts'
import { told } from '../protocol/validate.ts'

/** By key, the value that asks for nothing. */
export type Unsupported = ReadonlyMap<string, unknown>

export const SUBSCRIBE_OPTIONS: Unsupported = new Map([['match', 'exact']])

export const PUBLISH_OPTIONS: Unsupported = new Map([
  ['exclude', undefined],
  ['exclude_authid', undefined],
  ['exclude_authrole', undefined],
  ['eligible', undefined],
  ['eligible_authid', undefined],
  ['eligible_authrole', undefined],
  ['ppt_scheme', undefined],
])

export const REGISTER_OPTIONS: Unsupported = new Map<string, unknown>([
  ['match', 'exact'],
  ['invoke', 'single'],
  ['concurrency', 0],
])

export const CALL_OPTIONS: Unsupported = new Map<string, unknown>([
  ['progress', false],
  ['ppt_scheme', undefined],
])

/** Names the first option that cannot be honoured. */
export function unsupported(options: Dict, keys: Unsupported): string | undefined {
  for (const key in options) {
    if (keys.has(key) && options[key] !== keys.get(key)) return `${key}: ${told(options[key])} is not supported here`
  }
  return undefined
}
