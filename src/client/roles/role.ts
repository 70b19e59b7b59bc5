/** The contract of a client's role: its features, its handlers, and its state of a session. */

import type { Handlers } from '../../protocol/messages.ts'
import type { ClientRole, Features } from '../../protocol/words.ts'
import type { DurableHandles } from '../handles/durable-handles.ts'
import type { ClientSession } from '../session/client-session.ts'
import type { Interceptor } from './interceptor.ts'
import type { OnError } from './invocation.ts'

/** The part of a client that its roles need. */
export interface RoleHost {
  readonly handles: DurableHandles
  readonly settings: {
    readonly onError: OnError | undefined
    readonly interceptors: readonly Interceptor[] | undefined
  }
}

export interface Role<State = unknown> {
  readonly name: ClientRole
  /** Announced in HELLO. */
  readonly features: Features<ClientRole>
  readonly handlers: Handlers<ClientSession>
  /** Makes the state of a session when it joins. */
  open?(host: RoleHost): State
  /** Settles pending operations when a joined session has ended, with the text of its end. */
  ended?(state: State, text: string): void
}

/** The state that a role keeps of a session. */
export function stateOf<State>(session: ClientSession, role: Role<State>): State {
  return session.states.get(role) as State
}
