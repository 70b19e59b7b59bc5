/** `tls`: the certificate that a client presented when it connected. */

import { clientAuth } from './client.ts'
import type { AuthMethod, ClientAuth } from './contract.ts'
import { denied, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

/** Joins by the TLS certificate of the connection: the options `cert` and `key` of a dial. */
export function tls(): ClientAuth {
  return clientAuth({ method: 'tls', begin: () => ({}) })
}

/** A principal has the certificate under whose name it was found, unless it lists fingerprints. */
export interface TlsPrincipal extends PrincipalBase {
  /** SHA-256 of its certificates in hexadecimal digits, with or without colons. */
  readonly fingerprints?: readonly string[] | undefined
}

const plainDigits = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

/**
 * Accepts sessions by the certificate of their connection, which the server must have asked for and verified
 * (`serve(router, { tls: { key, cert, ca, requestCert: true } })`). Principals are found by the common name (CN) of its
 * subject.
 *
 * @throws WampError `wampy.error.usage` for principals that are not a table, a Map or a function
 */
export function tlsAuth(principals: Principals<TlsPrincipal>): AuthMethod {
  const source = sourceFrom('tls', principals)
  return {
    name: 'tls',
    authenticator: source.authenticator,
    usable: ({ connection }) => connection.certificate !== undefined,
    async *authenticate(request) {
      const { certificate } = request.connection
      const name = certificate?.subject['CN']
      const found = typeof name === 'string' ? await source.find(name, request) : undefined
      if (!certificate || typeof name !== 'string' || !found) throw denied()
      const own = plainDigits(certificate.fingerprint)
      if (found.fingerprints && !found.fingerprints.some((each) => plainDigits(each) === own)) throw denied()
      return identityFrom(found, name, request, source.provider)
    },
  }
}
