/** A role of a client: what it announces, and what it handles. */

import type { Handlers } from '../../protocol/messages.ts'
import type { ClientRole, Features } from '../../protocol/words.ts'
import type { ClientSession } from '../session/client-session.ts'

interface RoleNamed<Name extends ClientRole> {
  readonly name: Name
  /** Announced in HELLO. */
  readonly features: Features<Name>
  readonly handlers: Handlers<ClientSession>
}

export type Role = { [Name in ClientRole]: RoleNamed<Name> }[ClientRole]
