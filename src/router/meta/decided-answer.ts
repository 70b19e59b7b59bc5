/** Answers of the router's procedures that depend on a further decision about their caller. */

import { CALL } from '../../protocol/codes.ts'
import { CANCELED } from '../../protocol/names.ts'
import type { Destination, Undecided } from '../member/destination.ts'
import { Refusal } from '../member/refusal.ts'
import { type Decision, type Outcome, TOO_LATE } from '../rights/decide.ts'

/**
 * Answers when the decision is known, and throws or rejects with its refusal. Later messages of the caller wait
 * meanwhile, within the time limit of decisions.
 */
export function answerDecided<T>(
  decided: Outcome | Promise<Outcome>,
  caller: Destination,
  about: Undecided,
  answer: (decision: Decision) => T | Promise<T>,
): T | Promise<T> {
  const granted = (outcome: Outcome): T | Promise<T> => {
    if (outcome instanceof Refusal) throw outcome
    return answer(outcome)
  }
  if (!(decided instanceof Promise)) return granted(decided)
  return new Promise((resolve, reject) => {
    const settle = (outcome: Outcome): void => {
      try {
        resolve(granted(outcome))
      } catch (error) {
        reject(error)
      }
    }
    caller.hold(CALL, decided, settle, TOO_LATE, about)
    // Without effect, unless the session has ended.
    decided.then(() => reject(new Refusal(CANCELED, 'the session has ended')))
  })
}
