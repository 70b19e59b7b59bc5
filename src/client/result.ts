/** All that a procedure returns, or says in one part, where one positional value is not enough. */

import { WampError } from '../protocol/error.ts'
import { USAGE } from '../protocol/names.ts'
import type { Dict, List } from '../protocol/options.ts'
import { type Payload, payload } from '../protocol/payload.ts'
import { isDict, told } from '../protocol/validate.ts'

/** Several values, and keyword values: `return new Result([1, 2], { unit: 'cm' })`. */
export class Result {
  readonly args: List
  readonly kwargs: Dict | undefined

  constructor(args: List = [], kwargs?: Dict) {
    if (!Array.isArray(args)) throw new WampError(USAGE, [`args must be a list, such as [1, 2], got ${told(args)}`])
    if (kwargs !== undefined && !isDict(kwargs)) {
      throw new WampError(USAGE, [`kwargs must be a dictionary, such as { unit: 'cm' }, got ${told(kwargs)}`])
    }
    this.args = args
    this.kwargs = kwargs
  }
}

/** A Result as it is, nothing as nothing, and anything else as one positional value. */
export function payloadOf(value: unknown): Payload | undefined {
  if (value instanceof Result) return payload(value.args, value.kwargs)
  return payload(value === undefined ? undefined : [value])
}
