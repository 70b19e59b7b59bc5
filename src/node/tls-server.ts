/** TLS of a server: its defaults, and new certificates without a restart. */

import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { usage } from '../protocol/error.ts'
import { checkRules, type OptionRule, type OptionRules, STRING } from '../protocol/option-rules.ts'

/** What `renewTls` replaces: the key and certificate of a server, and the authorities that it accepts clients of. */
export type TlsRenewal = Pick<SecureContextOptions, 'key' | 'cert' | 'pfx' | 'passphrase' | 'ca' | 'crl'>

const PEM: OptionRule = [
  'the content of a file, or a list of such',
  (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
]

const RENEWAL_RULES: OptionRules<TlsRenewal> = {
  key: PEM,
  cert: PEM,
  pfx: PEM,
  passphrase: STRING,
  ca: PEM,
  crl: PEM,
}

/** The options of a TLS server with the defaults of this library: TLS 1.2, and five seconds for a handshake. */
export function withTlsDefaults<Options extends TlsOptions>(tls: Options): Options {
  return {
    handshakeTimeout: 5000,
    // Stated, because a flag of Node can lower its default.
    ...(tls.secureProtocol === undefined && { minVersion: 'TLSv1.2' }),
    ...tls,
  }
}

/** Replaces the certificate of a server for new connections. */
export class RenewableTls {
  readonly #server: object
  #tls: TlsOptions | undefined

  /** `tls` are the options that the server was made with, by this library; undefined if it was not. */
  constructor(server: object, tls: TlsOptions | undefined) {
    this.#server = server
    this.#tls = tls
  }

  renew(renewal: TlsRenewal): void {
    if (!this.#tls)
      throw usage(
        'renewTls: this server has no TLS of its own; that of an existing server is renewed by its setSecureContext',
      )
    checkRules('renewTls', renewal, RENEWAL_RULES, { example: 'key, cert' })
    if (renewal.pfx === undefined && (renewal.key === undefined || renewal.cert === undefined))
      throw usage('renewTls needs key and cert, or pfx')
    const { key: _, cert: __, pfx: ___, ...others } = this.#tls
    const renewed = { ...others, ...renewal }
    try {
      // First: the server would keep the parts of a context that it cannot make.
      createSecureContext(renewed)
    } catch (error) {
      throw usage(
        `renewTls cannot use this key and certificate: ${(error as Error).message}; the old ones stay in use`,
        error,
      )
    }
    this.#tls = renewed
    ;(this.#server as { setSecureContext(options: SecureContextOptions): void }).setSecureContext(renewed)
  }
}
