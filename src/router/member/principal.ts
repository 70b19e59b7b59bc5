/** The identity of a session: its public part, the part for the session itself, and the part that stays in the router. */

import type { Identity } from '../../auth/contract.ts'

/** The public part, visible to the whole realm. */
export interface Principal {
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  readonly authprovider: string
}

/** The public part of an identity. Each field is named, so that a new one does not become public by accident. */
export function principalOf({ authid, authrole, authprovider = 'static' }: Identity, authmethod: string): Principal {
  return { authid, authrole, authmethod, authprovider }
}

/** A principal as details; each field is named, so that no other one can slip in. */
export function principalDetails({ authid, authrole, authmethod, authprovider }: Principal): Principal {
  return { authid, authrole, authmethod, authprovider }
}
