/** Long answers of the router's procedures, which are worked out in several turns of the event loop. */

import { CALL } from '../../protocol/codes.ts'
import { MOST_LISTED } from '../../protocol/fixed-limits.ts'
import type { Id } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED } from '../../protocol/names.ts'
import type { Destination } from '../member/destination.ts'
import { Refusal } from '../member/refusal.ts'
import { workInTurns } from '../member/turns-of-work.ts'
import type { Answer } from './router-procedures.ts'

const RECORDS_PER_STEP = 1000

/**
 * Answers when all steps are done, and throws or rejects with the error of a step. Later messages of the caller wait
 * meanwhile, within the time limit of decisions.
 */
export function answerInTurns(
  steps: Iterable<void>,
  caller: Destination,
  answer: () => Answer,
): Answer | Promise<Answer> {
  let failure: { readonly error: unknown } | undefined
  const guarded = function* (): Generator<void> {
    try {
      yield* steps
    } catch (error) {
      failure = { error }
    }
  }
  const answered = (): Answer => {
    if (failure) throw failure.error
    return answer()
  }
  let finish = (): void => {}
  if (workInTurns(guarded(), () => finish())) return answered()
  const later = new Promise<void>((resolve) => {
    finish = resolve
  }).then(answered)
  // A promise of its own, which settles when the answer has been sent.
  caller.hold(
    CALL,
    later.then(() => {}),
    () => {},
    undefined,
  )
  return later
}

const all = (): boolean => true
const list = (ids: Id[]): Answer => {
  checkListed(ids.length)
  return { args: [ids] }
}

/** Answers with the ids of the wanted records at this moment. */
export function answerIds<T extends { readonly id: Id }>(
  records: Iterable<T>,
  caller: Destination,
  wanted: (record: T) => boolean = all,
  answer: (ids: Id[]) => Answer = list,
): Answer | Promise<Answer> {
  const found = [...records]
  const ids: Id[] = []
  return answerInTurns(collectIds(found, ids, wanted), caller, () => answer(ids))
}

/** Refuses a list of too many ids. */
export function checkListed(size: number): void {
  if (size <= MOST_LISTED) return
  throw new Refusal(LIMIT_EXCEEDED, `a list has at most ${MOST_LISTED} ids, and there are ${size}`)
}

/** Adds the ids of the wanted records to `ids`. */
export function* collectIds<T extends { readonly id: Id }>(
  records: readonly T[],
  ids: Id[],
  wanted: (record: T) => boolean = all,
): Generator<void> {
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as T
    if (wanted(record)) ids.push(record.id)
    if (i % RECORDS_PER_STEP === RECORDS_PER_STEP - 1) yield
  }
}
