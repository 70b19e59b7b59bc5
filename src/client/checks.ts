/** What is checked before anything is sent: URIs, payloads, functions. */

import { unsent, usage } from '../protocol/error.ts'
import { INVALID_URI } from '../protocol/names.ts'
import type { PassthruKeys } from '../protocol/options.ts'
import { isDict, told } from '../protocol/validate.ts'

export function checkUri(uri: unknown, legal: boolean): void {
  if (typeof uri === 'string' && legal) return
  throw unsent(INVALID_URI, `${told(uri)} is no URI: it has white space, "#" or an empty component`)
}

export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) {
    throw usage(`args must be a list, such as [1, 2], got ${told(args)}`)
  }
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw usage(`kwargs must be a dictionary, such as { unit: 'cm' }, got ${told(kwargs)}`)
  }
}

/** Without codecs the mode was not announced, and a router would end the session. */
export function checkPassthru({ ppt_scheme }: PassthruKeys, codecs: unknown): void {
  if (ppt_scheme === undefined || codecs) return
  throw usage('ppt_scheme needs the option codecs: passthru()')
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw usage(`the ${what} must be a function, got ${told(value)}`)
}
