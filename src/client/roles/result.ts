/** The result of a procedure, or one of its parts, if one positional value is not enough. */

import type { Dict, List } from '../../protocol/options.ts'
import { type Payload, payload } from '../../protocol/payload.ts'
import { checkPayload } from '../checks.ts'

/** Several values, and keyword values: `return new Result([1, 2], { unit: 'cm' })`. */
export class Result {
  readonly args: List
  readonly kwargs: Dict | undefined

  constructor(args: List = [], kwargs?: Dict) {
    checkPayload(args, kwargs)
    this.args = args
    this.kwargs = kwargs
  }
}

/** The payload of a returned value: a Result unchanged, undefined as an empty payload, anything else as one positional value. */
export function payloadOf(value: unknown): Payload | undefined {
  if (value instanceof Result) return payload(value.args, value.kwargs)
  return payload(value === undefined ? undefined : [value])
}
