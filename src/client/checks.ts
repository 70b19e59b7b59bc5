/** What is checked before anything is sent: URIs, payloads, functions. */

import { WampError } from '../protocol/error.ts'
import { INVALID_URI, USAGE } from '../protocol/names.ts'
import type { PassthruKeys } from '../protocol/options.ts'
import { isDict, told } from '../protocol/validate.ts'

export function checkUri(uri: unknown, legal: boolean): void {
  if (typeof uri === 'string' && legal) return
  const text = `${told(uri)} is no URI: expected components without white space or "#", joined by dots`
  throw new WampError(INVALID_URI, [text], {}, { sent: false })
}

export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) {
    throw new WampError(USAGE, [`args must be a list, such as [1, 2], got ${told(args)}`], {}, { sent: false })
  }
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw new WampError(
      USAGE,
      [`kwargs must be a dictionary, such as { unit: 'cm' }, got ${told(kwargs)}`],
      {},
      { sent: false },
    )
  }
}

/** Without codecs the mode was not announced, and a router would end the session. */
export function checkPassthru({ ppt_scheme }: PassthruKeys, codecs: unknown): void {
  if (ppt_scheme === undefined || codecs) return
  throw new WampError(USAGE, ['ppt_scheme needs a client with the option codecs: passthru()'], {}, { sent: false })
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw new WampError(USAGE, [`the ${what} must be a function, got ${told(value)}`])
}
