/** The longest integer that is read and written, in every serializer and between the ends of a link in memory. */

import { MAX_DIGITS } from './fixed-limits.ts'

/** Integers beyond it are read as JSON.parse reads them, as Infinity, and are not written in any format. Python has the same limit. */
export const BOUND = 10n ** BigInt(MAX_DIGITS)
/** The error text for such an integer. */
export const BEYOND = 'an integer of thousands of digits'

/** True if an integer has few enough digits to be read and written. */
export function isSayable(value: bigint): boolean {
  return value < BOUND && value > -BOUND
}
