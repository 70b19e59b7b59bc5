/** Dials a router from Node with options that a browser does not allow: headers, an agent, certificates. */

import type { Agent } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import WebSocket from 'ws'
import {
  ANY_OBJECT,
  checkRules,
  FLAG,
  FUNCTION,
  LIMIT,
  type OptionRule,
  type OptionRules,
  STRING,
} from '../protocol/option-rules.ts'
import type { Dial } from '../transport/transport.ts'
import { webSocketDial } from '../transport/websocket.ts'

export interface DialOptions
  extends Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  > {
  /** Headers of the handshake, such as a cookie or a token. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The `Origin` of the handshake, for routers that check it. */
  readonly origin?: string | undefined
  /** An agent of `node:http` or `node:https`, such as one that goes through a proxy. */
  readonly agent?: Agent | undefined
  /** The greatest length of an incoming message, in bytes: 100 MiB by default. */
  readonly maxPayload?: number | undefined
  /** Whether to deflate messages if the router does too; off by default. */
  readonly perMessageDeflate?: boolean | undefined
}

const PEM: OptionRule = [
  'text, bytes or a list of them',
  (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
]

export const TLS_RULES: OptionRules<
  Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  >
> = {
  ca: PEM,
  cert: PEM,
  key: PEM,
  passphrase: STRING,
  pfx: PEM,
  rejectUnauthorized: FLAG,
  servername: STRING,
  checkServerIdentity: FUNCTION,
}

const DIAL_RULES: OptionRules<DialOptions> = {
  ...TLS_RULES,
  headers: ANY_OBJECT,
  origin: STRING,
  agent: ANY_OBJECT,
  maxPayload: LIMIT,
  perMessageDeflate: FLAG,
}

/**
 * A dial for the option `dial` of a WampRouter.
 *
 * @example
 * new WampRouter({ url: 'wss://example.com/ws', dial: dial({ headers: { cookie }, ca }) })
 * @throws WampError `wampy.error.usage` for invalid options
 */
export function dial(options: DialOptions = {}): Dial {
  checkRules('dial', options, DIAL_RULES)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return webSocketDial({
    create: (url, protocols) => new WebSocket(url, protocols, { perMessageDeflate: false, ...given }),
  })
}
