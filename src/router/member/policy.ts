/** What the owner of a router decides about who is disclosed and how far to be trusted; asked by broker and dealer. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { DISCLOSE_ME_DISALLOWED } from '../../protocol/names.ts'
import { formatValue } from '../../protocol/validate.ts'
import { DISCLOSURES, type Disclosure, isOneOf } from '../../protocol/words.ts'
import type { Destination } from './destination.ts'
import { type Principal, principalDetails } from './principal.ts'
import { Refusal } from './refusal.ts'

export type { Disclosure } from '../../protocol/words.ts'
export type Disclosed = 'publish' | 'call'

/** Who publishes or calls. */
export interface Actor extends Principal {
  readonly session: Id
}

export type Disclose = (action: Disclosed, uri: Uri, actor: Actor) => Disclosure
/** A whole number from 0, the least trusted; undefined says nothing about it. */
export type TrustLevel = (action: Disclosed, uri: Uri, actor: Actor) => number | undefined

export interface Policy {
  readonly disclose: Disclosure | Disclose
  readonly trustlevel: TrustLevel | undefined
}

/** Whether a member is to be disclosed, or why what it asks is refused. */
export function disclosure(
  { disclose }: Policy,
  action: Disclosed,
  uri: Uri,
  member: Destination,
  asked: boolean,
): boolean | Refusal {
  const rule = typeof disclose === 'string' ? disclose : ruled(() => disclose(action, uri, actor(member)))
  switch (rule) {
    case 'always':
      return true
    case 'asked':
      return asked
    case 'never':
      return asked && new Refusal(DISCLOSE_ME_DISALLOWED, `disclose_me is not allowed for ${formatValue(uri)}`)
  }
}

/** How far a member is trusted in this, where the router says so at all. */
export function trustlevel(
  { trustlevel }: Policy,
  action: Disclosed,
  uri: Uri,
  member: Destination,
): number | undefined {
  if (!trustlevel) return undefined
  try {
    const level = trustlevel(action, uri, actor(member))
    return Number.isSafeInteger(level) && (level as number) >= 0 ? level : undefined
  } catch {
    // No word is less than any: what fails must not raise the trust.
    return undefined
  }
}

/** Fails closed: what throws, or gives back no rule, discloses nobody. */
function ruled(rule: () => Disclosure): Disclosure {
  try {
    const found = rule()
    return isOneOf(DISCLOSURES, found) ? found : 'never'
  } catch {
    return 'never'
  }
}

function actor(member: Destination): Actor {
  return { session: member.id, ...principalDetails(member.principal as Principal) }
}
