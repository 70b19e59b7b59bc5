/** Who a session is: what the realm may know of it, what it alone is told, and what stays in the router. */

import type { Dict } from '../../protocol/options.ts'

/** What anybody in the realm may know. */
export interface Principal {
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  readonly authprovider: string
}

/** What an authentication method found out. */
export interface Identity {
  readonly authid: string
  readonly authrole: string
  /** Where the method looked the principal up: `static` by default. */
  readonly authprovider?: string | undefined
  /** Sent to the session alone, in its WELCOME. */
  readonly authextra?: Dict | undefined
  /** For the router's own decisions; sent to nobody. */
  readonly internal?: unknown
}

/** The public part of an identity, and nothing else: a field that is added to an identity is not shown by accident. */
export function principalOf({ authid, authrole, authprovider = 'static' }: Identity, authmethod: string): Principal {
  return { authid, authrole, authmethod, authprovider }
}

/** A principal as details show it; each field is named, so that no other one can slip in. */
export function principalDetails({ authid, authrole, authmethod, authprovider }: Principal): Principal {
  return { authid, authrole, authmethod, authprovider }
}
