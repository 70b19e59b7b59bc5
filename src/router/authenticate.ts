/** The rounds of CHALLENGE and AUTHENTICATE between HELLO and WELCOME. */

import { AUTHENTICATE, CHALLENGE } from '../protocol/codes.ts'
import { violation, WampError } from '../protocol/error.ts'
import type { Id, Uri } from '../protocol/messages.ts'
import { AUTHENTICATION_FAILED } from '../protocol/names.ts'
import type { Dict } from '../protocol/options.ts'
import { isDict } from '../protocol/validate.ts'
import { type Table, table } from '../session/handler-table.ts'
import { refusing } from '../session/session.ts'
import type { Member } from './member/member.ts'
import type { Identity } from './member/principal.ts'

/** The HELLO of a session, as an authentication method sees it. */
export interface AuthRequest {
  readonly realm: Uri
  /** The id that its WELCOME will carry. */
  readonly session: Id
  readonly authid: string | undefined
  readonly authextra: Dict
  /** The description of its connection. */
  readonly transport: Dict | undefined
  /** Aborts when the session ends before the method is done. */
  readonly signal: AbortSignal
}

/** A question to the client: the `extra` of CHALLENGE. */
export interface AuthChallenge {
  readonly extra?: Dict | undefined
}

/** The client's AUTHENTICATE. */
export interface AuthAnswer {
  readonly signature: string
  readonly extra: Dict
}

/**
 * An authentication method: it yields challenges, receives their answers, and returns an identity. An error refuses the
 * session: the URI of a WampError is the reason of the ABORT, any other error becomes `authentication_failed`. If the
 * session ends first, `signal` aborts and the generator is ended where it stands, `finally` included.
 */
export interface AuthMethod {
  /** Its name in the `authmethods` of HELLO. */
  readonly name: string
  authenticate(request: AuthRequest): AsyncGenerator<AuthChallenge, Identity, AuthAnswer>
}

type Step = IteratorResult<AuthChallenge, Identity>

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
  readonly #ended: () => void
  readonly #controller = new AbortController()
  #rounds: AsyncGenerator<AuthChallenge, Identity, AuthAnswer> | undefined

  /** Calls `admit` with the identity, and `ended` before that or instead of it. */
  constructor(member: Member, method: AuthMethod, admit: (identity: Identity) => void, ended: () => void) {
    this.#member = member
    this.#method = method
    this.#admit = admit
    this.#ended = ended
  }

  start(request: Omit<AuthRequest, 'signal'>): void {
    this.#member.conversation = this
    this.#await(async () => {
      this.#rounds = this.#method.authenticate({ ...request, signal: this.#controller.signal })
      return this.#rounds.next()
    })
  }

  answer(answer: AuthAnswer): void {
    this.#await(async () => {
      if (!this.#rounds) throw violation('AUTHENTICATE answers no CHALLENGE')
      return this.#rounds.next(answer)
    })
  }

  /** The session has ended. */
  stop(): void {
    this.#ended()
    this.#controller.abort()
    const rounds = this.#rounds
    this.#rounds = undefined
    // An error during this cleanup concerns nobody.
    if (rounds) finish(rounds).catch(() => {})
  }

  #await(round: () => Promise<Step>): void {
    this.#member.become(WORKING)
    round()
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

  // An error that is not meant for the client may contain secrets.
  #refuse(error: unknown): void {
    if (this.#member.over) return
    if (WampError.is(error) && !error.uri.startsWith('wampy.')) {
      this.#member.abort(error.uri, error.message, error.details)
    } else this.#member.abort(AUTHENTICATION_FAILED, `the method ${this.#method.name} failed`)
  }
}

async function finish(rounds: AsyncGenerator<AuthChallenge, Identity, AuthAnswer>): Promise<void> {
  // An iterator written by hand may lack `return`.
  await rounds.return?.(undefined as never)
}

function isIdentity(value: unknown): value is Identity {
  return isDict(value) && typeof value['authid'] === 'string' && typeof value['authrole'] === 'string'
}
