/** The one table of unanswered requests: all kinds draw their ids from one sequence (Basic Profile, IDs). */

import { CALL, ERROR, INVOCATION } from '../protocol/codes.ts'
import { errorOf, violation, WampError } from '../protocol/error.ts'
import { nextId } from '../protocol/ids.ts'
import type { Handlers, Id, Message, RequestCode } from '../protocol/messages.ts'
import { CONNECTION_LOST } from '../protocol/names.ts'
import { nameOf } from '../protocol/validate.ts'
import type { ClientSession } from './client-session.ts'
import { canceled, limit, type Waiting } from './waiting.ts'

interface Pending {
  readonly code: RequestCode
  /** Runs inside the reply, before anything else is read; its value resolves the promise. */
  readonly settle: (reply: never) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: WampError) => void
  release: (() => void) | undefined
}

export interface Ask<T, Reply extends Message> {
  readonly code: RequestCode
  readonly message: (id: Id) => Message
  readonly settle: (reply: Reply) => T
}

export class Requests {
  readonly #session: ClientSession
  readonly #pending = new Map<Id, Pending>()
  #last: Id = 0

  constructor(session: ClientSession) {
    this.#session = session
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#pending.size
  }

  #next(): Id {
    do this.#last = nextId(this.#last)
    while (this.#pending.has(this.#last))
    return this.#last
  }

  /** Sends a request that gets no answer. A payload that cannot travel throws and uses up no id. */
  tell(message: (id: Id) => Message): Id {
    if (!this.#session.sendable) throw new WampError(CONNECTION_LOST, ['the session is over'], {}, { sent: false })
    const before = this.#last
    const id = this.#next()
    try {
      this.#session.send(message(id))
    } catch (error) {
      this.#last = before
      throw error
    }
    return id
  }

  /** Sends a request and waits for its answer. A payload that cannot travel rejects and uses up no id. */
  ask<T, Reply extends Message>(asked: Ask<T, Reply>, waiting: Waiting = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (waiting.signal?.aborted) return reject(canceled(waiting.signal, false))
      let id: Id
      try {
        id = this.tell(asked.message)
      } catch (error) {
        return reject(error)
      }
      const { code, settle } = asked
      const pending: Pending = {
        code,
        settle,
        resolve: resolve as (value: unknown) => void,
        reject,
        release: undefined,
      }
      this.#pending.set(id, pending)
      if (waiting.signal || waiting.timeout) this.#limit(id, pending, waiting)
    })
  }

  #limit(id: Id, pending: Pending, waiting: Waiting): void {
    pending.release = limit(waiting, true, (error) => {
      // A CALL may never be answered. Anything else is, and its answer must not look like a violation.
      if (pending.code === CALL) this.#pending.delete(id)
      pending.reject(error)
    })
  }

  /** A positive answer. False where nothing waits for it. */
  settle(code: RequestCode, id: Id, reply: Message): boolean {
    const pending = this.#pending.get(id)
    if (pending?.code !== code) return false
    // Where this throws the session ends, which rejects what still stands in the table.
    const value = pending.settle(reply as never)
    this.#pending.delete(id)
    pending.release?.()
    pending.resolve(value)
    return true
  }

  /** A positive answer that only a request of ours can cause: without one it is a violation. */
  must(code: RequestCode, id: Id, reply: Message): void {
    if (!this.settle(code, id, reply)) {
      throw violation(`${nameOf(reply[0])} for request ${id}, which is not waiting for it`)
    }
  }

  /** A negative answer. False where nothing waits for it. */
  refuse(code: RequestCode, id: Id, error: WampError): boolean {
    const pending = this.#pending.get(id)
    if (pending?.code !== code) return false
    this.#pending.delete(id)
    pending.release?.()
    pending.reject(error)
    return true
  }

  /** The session is over: nobody waits any longer. */
  fail(error: WampError): void {
    for (const pending of this.#pending.values()) {
      pending.release?.()
      pending.reject(error)
    }
    this.#pending.clear()
  }
}

/** ERROR settles all kinds of requests alike. */
export const refusals: Handlers<ClientSession> = {
  [ERROR]: (message, session) => {
    if (message[1] === INVOCATION) throw violation('ERROR for an INVOCATION, which a router does not get')
    if (!session.requests.refuse(message[1], message[2], errorOf(message))) session.dropped.answers++
  },
}
