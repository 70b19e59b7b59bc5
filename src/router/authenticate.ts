/** The rounds of CHALLENGE and AUTHENTICATE between HELLO and WELCOME. */

import type { AuthAnswer, AuthChallenge, AuthMethod, AuthRequest, Identity } from '../auth/contract.ts'
import { AUTHENTICATE, CHALLENGE } from '../protocol/codes.ts'
import { violation, WampError } from '../protocol/error.ts'
import { AUTHENTICATION_FAILED } from '../protocol/names.ts'
import { isDict } from '../protocol/validate.ts'
import { type Table, table } from '../session/handler-table.ts'
import { refusing } from '../session/session.ts'
import type { Member } from './member/member.ts'

type Step = IteratorResult<AuthChallenge, Identity>

type StartedRequest = Omit<AuthRequest, 'signal' | 'call'> & {
  readonly call: (signal: AbortSignal) => AuthRequest['call']
}

/** While the method works, only ABORT is legal. */
const WORKING: Table<Member> = table<Member>(refusing)

const CHALLENGED: Table<Member> = table<Member>(refusing, {
  [AUTHENTICATE]: ([, signature, extra], member) => member.conversation?.answer({ signature, extra }),
})

/** The authentication of one session. Its deadline is the member's, from the connection to WELCOME. */
export class Conversation {
  readonly #member: Member
  readonly #method: AuthMethod
  readonly #admit: (identity: Identity) => void
  readonly #refused: () => number
  readonly #ended: () => void
  readonly #controller = new AbortController()
  #rounds: AsyncGenerator<AuthChallenge, Identity, AuthAnswer> | undefined
  #delay: ReturnType<typeof setTimeout> | undefined

  /**
   * Calls `admit` with the identity, or `refused`, which returns the milliseconds by which the refusal is delayed; and
   * `ended` before `admit` or when the session has ended.
   */
  constructor(
    member: Member,
    method: AuthMethod,
    admit: (identity: Identity) => void,
    refused: () => number,
    ended: () => void,
  ) {
    this.#member = member
    this.#method = method
    this.#admit = admit
    this.#refused = refused
    this.#ended = ended
  }

  start({ call, ...request }: StartedRequest): void {
    this.#member.conversation = this
    const { signal } = this.#controller
    try {
      const begun = this.#method.authenticate({ ...request, signal, call: call(signal) })
      if (isRounds(begun)) {
        this.#rounds = begun
        this.#await(() => begun.next())
      } else this.#continue({ done: true, value: begun })
    } catch (error) {
      this.#refuse(error)
    }
  }

  answer(answer: AuthAnswer): void {
    this.#await(() => {
      if (!this.#rounds) throw violation('AUTHENTICATE answers no CHALLENGE')
      return this.#rounds.next(answer)
    })
  }

  /** The session has ended. */
  stop(): void {
    clearTimeout(this.#delay)
    this.#ended()
    this.#controller.abort()
    const rounds = this.#rounds
    this.#rounds = undefined
    // An error during this cleanup concerns nobody.
    if (rounds) finish(rounds).catch(() => {})
  }

  #await(round: () => Promise<Step>): void {
    this.#member.become(WORKING)
    // The method may be written by hand: nothing of it is trusted to be asynchronous.
    new Promise<Step>((resolve) => resolve(round()))
      .then((step) => this.#continue(step))
      .catch((error: unknown) => this.#refuse(error))
  }

  #continue({ done, value }: Step): void {
    const member = this.#member
    if (member.over) return
    if (done) {
      this.#rounds = undefined
      if (!isIdentity(value)) throw new Error('an identity has an authid and an authrole')
      member.conversation = undefined
      this.#ended()
      this.#admit(value)
      return
    }
    // Before CHALLENGE is sent: the peer may answer at once.
    member.become(CHALLENGED)
    member.send([CHALLENGE, this.#method.name, value?.extra ?? {}])
  }

  #refuse(error: unknown): void {
    if (this.#member.over) return
    const delay = this.#refused()
    if (delay > 0) this.#delay = setTimeout(() => this.#abort(error), delay)
    else this.#abort(error)
  }

  // An error that is not meant for the client may contain secrets.
  #abort(error: unknown): void {
    if (WampError.is(error) && !error.uri.startsWith('wampy.')) {
      this.#member.abort(error.uri, error.message, error.details)
    } else this.#member.abort(AUTHENTICATION_FAILED, `the method ${this.#method.name} failed`)
  }
}

function isRounds(begun: unknown): begun is AsyncGenerator<AuthChallenge, Identity, AuthAnswer> {
  return typeof (begun as { next?: unknown } | null | undefined)?.next === 'function'
}

async function finish(rounds: AsyncGenerator<AuthChallenge, Identity, AuthAnswer>): Promise<void> {
  // An iterator written by hand may lack `return`.
  await rounds.return?.(undefined as never)
}

function isIdentity(value: unknown): value is Identity {
  return isDict(value) && typeof value['authid'] === 'string' && typeof value['authrole'] === 'string'
}
