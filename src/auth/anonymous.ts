/** `anonymous`: no credentials. */

import { randomId } from '../protocol/ids.ts'
import { clientAuth } from './client.ts'
import type { AuthMethod, ClientAuth } from './contract.ts'

/** Joins without credentials, if no earlier method of the list is accepted. */
export function anonymous(): ClientAuth {
  return clientAuth({ method: 'anonymous', begin: () => ({}) })
}

/** A new authid for a session without a principal. */
export function randomAuthid(): string {
  return randomId().toString(36) + randomId().toString(36)
}

/** Accepts sessions without credentials; each has a random authid. `role` is `anonymous` by default. */
export function anonymousAuth({ role = 'anonymous' }: { readonly role?: string | undefined } = {}): AuthMethod {
  return {
    name: 'anonymous',
    authenticate: () => ({ authid: randomAuthid(), authrole: role }),
  }
}
