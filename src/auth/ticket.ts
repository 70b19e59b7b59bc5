/** `ticket`: a secret that the client sends in clear text, and so for encrypted connections only. */

import { sameBytes, utf8 } from './bytes.ts'
import { checkText, clientAuth, currentText, type Secret } from './client.ts'
import type { AuthMethod, ClientAuth } from './contract.ts'
import { denied, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

/**
 * Presents a ticket: a password or a token. The router reads it, so use it over TLS.
 *
 * @example
 * auth: [ticket('joe', async () => (await fetch('/token')).text())]
 * @throws WampError `wampy.error.usage` for an authid that is not text
 */
export function ticket(authid: string, secret: Secret): ClientAuth {
  checkText('ticket', 'the authid', authid)
  return clientAuth({
    method: 'ticket',
    begin: async () => {
      const signature = await currentText('ticket', 'the ticket', secret)
      return { authid, answer: () => ({ signature, extra: {} }) }
    },
  })
}

export interface TicketPrincipal extends PrincipalBase {
  /** Only a function or procedure may leave it out, having verified `credentials.ticket` itself. */
  readonly ticket?: string | undefined
}

/**
 * Accepts tickets.
 *
 * @example
 * auth: [ticketAuth({ joe: { ticket: process.env.JOE_TICKET, role: 'user' } })]
 * @throws WampError `wampy.error.usage` for principals that are not a table, a Map or a function
 */
export function ticketAuth(principals: Principals<TicketPrincipal>): AuthMethod {
  const source = sourceFrom('ticket', principals)
  return {
    name: 'ticket',
    authenticator: source.authenticator,
    async *authenticate(request) {
      const { signature } = yield {}
      const { authid = '' } = request
      const found = await source.find(authid, request, { ticket: signature })
      const verified = source.provider !== 'static' && found !== undefined && found.ticket === undefined
      // Compared even without a principal, so that an unknown one takes the same time.
      const same = sameBytes(utf8(signature), utf8(String((found ?? source.example)?.ticket)))
      if (!found || !(verified || (same && typeof found.ticket === 'string'))) throw denied()
      return identityFrom(found, authid, request, source.provider)
    },
  }
}
