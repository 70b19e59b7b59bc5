/** A role of a client: what it announces, and what it handles. */

import type { Handlers } from '../../protocol/messages.ts'
import type { ClientSession } from '../session/client-session.ts'

export interface Role {
  readonly name: string
  /** Announced in HELLO. */
  readonly features: Readonly<Record<string, boolean>>
  readonly handlers: Handlers<ClientSession>
}
