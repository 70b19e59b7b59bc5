/** The options that locate a router, and the first connection of a client, which is tried only once. */

import type { Client } from '../client/client.ts'
import type { ClientOptions } from '../client/options.ts'
import { WampRouter } from '../client/wamp-router.ts'
import { rawSocketDial } from '../node/rawsocket-dial.ts'
import { WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED, DEFAULT_REALM, DEFAULT_URL, NO_SUCH_REALM } from '../protocol/names.ts'
import { isUri } from '../protocol/uri.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Serializer } from '../serializer/serializer.ts'
import type { Connector } from '../session/link.ts'
import { withoutSecrets } from '../transport/url.ts'
import { contextInUse, readContexts } from './contexts.ts'
import { credentialOptions, credentialsFrom } from './credentials.ts'
import type { CommandOptions, OptionValues } from './define-command.ts'
import { Failure, formatError, messageOf, usageFailure } from './failure.ts'

export const connectionOptions = {
  context: {
    type: 'string',
    value: 'name',
    choices: () => [...readContexts().contexts.keys()],
    help: 'a router that "wampy-ts context add" has named (default: $WAMPY_CONTEXT, else the one in use)',
  },
  url: {
    type: 'string',
    value: 'url',
    help: `address of the router: ws, wss, http, https, rs, rss or unix:/path (default: $WAMPY_URL, else ${DEFAULT_URL})`,
  },
  realm: { type: 'string', value: 'realm', help: `the realm to join (default: $WAMPY_REALM, else ${DEFAULT_REALM})` },
  serializer: {
    type: 'string',
    value: 'name',
    choices: ['json', 'cbor', 'msgpack'],
    help: 'json, cbor or msgpack (default: json)',
  },
  ...credentialOptions,
} as const satisfies CommandOptions

/** The router and the realm that the command line names. */
export interface ConnectionTarget {
  /** For messages: without a password and a query. */
  readonly url: string
  readonly realm: string
  /** Options of a client that connects there. */
  readonly options: ClientOptions
}

const serializers = [json, cbor, msgpack]

export function connectionTarget(values: OptionValues<typeof connectionOptions>): ConnectionTarget {
  const context = contextInUse(values.context, values.url)
  const environment = context ? {} : process.env
  const url = values.url ?? context?.url ?? (environment['WAMPY_URL'] || DEFAULT_URL)
  const realm = values.realm ?? context?.realm ?? (environment['WAMPY_REALM'] || DEFAULT_REALM)
  const name = values.serializer ?? context?.serializer
  const { router, serializer } = checkConnection({ url, realm, serializer: name })
  const auth = credentialsFrom(values, context)
  return { url: withoutSecrets(url), realm, options: { router, realm, serializers: [serializer], auth } }
}

/** Checks an address, a realm and the name of a serializer. */
export function checkConnection({
  url,
  realm = DEFAULT_REALM,
  serializer: name = json.name,
}: {
  readonly url: string
  readonly realm?: string | undefined
  readonly serializer?: string | undefined
}): { readonly router: Connector | string; readonly serializer: Serializer } {
  const serializer = serializers.find((each) => each.name === name)
  if (!serializer) {
    throw usageFailure(`--serializer must be ${serializers.map((each) => each.name).join(', ')}, got "${name}"`)
  }
  if (!isUri(realm)) throw usageFailure(`"${realm}" is not a valid URI of a realm`)
  return { router: routerAt(url), serializer }
}

function routerAt(url: string): Connector | string {
  if (/^(?:rss?|unix):/i.test(url)) {
    if (/^(?:rss?:\/\/[^/?#\s]+:\d+\/?|unix:(?:\/\/)?\/.+)$/i.test(url)) {
      return new WampRouter({ url, dial: rawSocketDial() })
    }
    throw usageFailure(
      `"${withoutSecrets(url)}" is not a valid RawSocket address: expected rs://host:port, rss:// or unix:/path`,
    )
  }
  // Only a page can resolve a relative one.
  if (url.startsWith('/'))
    throw usageFailure(`"${withoutSecrets(url)}" is not an address of a router: expected ${DEFAULT_URL}`)
  try {
    new WampRouter({ url })
  } catch (error) {
    throw usageFailure(messageOf(error))
  }
  // A plain URL where possible: a service may extend the client of another copy of this package.
  return url
}

/** Starts a client, or throws a Failure and leaves the client stopped. A client that was ready reconnects by itself. */
export async function startClient(client: Client, target: ConnectionTarget, signal?: AbortSignal): Promise<void> {
  let giveUp!: (retry: { cause: WampError }) => void
  const failed = new Promise<never>((_, reject) => {
    giveUp = ({ cause }) => reject(cause)
    client.once('retry', giveUp)
  })
  try {
    await Promise.race([client.start({ signal }), failed])
  } catch (error) {
    await client.stop()
    throw WampError.is(error) ? new Failure(whyNotStarted(error, target), 1, error.uri) : error
  } finally {
    client.off('retry', giveUp)
  }
}

function whyNotStarted(error: WampError, { url, realm }: ConnectionTarget): string {
  switch (error.uri) {
    case CONNECTION_FAILED:
      return `${error.message} (start one with "wampy-ts router", or name another with --url)`
    case NO_SUCH_REALM:
      return `the router at ${url} has no realm "${realm}": name an existing one with --realm`
    default:
      return `could not start at ${url} in realm ${realm}: ${formatError(error)}`
  }
}
