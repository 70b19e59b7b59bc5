/** What the broker and the dealer of a realm have in common: what they announce, handle, own and forget. */

import type { Handlers } from '../../protocol/messages.ts'
import type { Member } from './member.ts'

export interface Role {
  readonly name: 'broker' | 'dealer'
  /** What WELCOME announces: no more than what the handlers do. */
  readonly features: Readonly<Record<string, boolean>>
  readonly handlers: Handlers<Member>
  /** The member is gone: forgets what it owned and settles what others wait for. */
  left(member: Member): void
}
