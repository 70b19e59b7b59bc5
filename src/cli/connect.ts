/** Where the router is, how it is spoken to, and the first connection, which is tried only once. */

import type { ClientOptions } from '../client/options.ts'
import type { WampClient } from '../client/wamp-client.ts'
import { WampRouter } from '../client/wamp-router.ts'
import { rawSocketDial } from '../node/rawsocket-dial.ts'
import { WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED, DEFAULT_REALM, DEFAULT_URL, NO_SUCH_REALM } from '../protocol/names.ts'
import { isUri } from '../protocol/uri.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Connector } from '../session/link.ts'
import type { Options, Values } from './command.ts'
import { Failure, misuse, spelled, textOf } from './failure.ts'

export const connection = {
  url: {
    type: 'string',
    value: 'url',
    help: `where the router is: ws, wss, rs, rss or unix:/path (default: $WAMPY_URL, else ${DEFAULT_URL})`,
  },
  realm: { type: 'string', value: 'realm', help: `the realm to join (default: $WAMPY_REALM, else ${DEFAULT_REALM})` },
  serializer: { type: 'string', value: 'name', help: 'json, cbor or msgpack (default: json)' },
} as const satisfies Options

export interface Place {
  readonly url: string
  readonly realm: string
  /** For a client that goes there. */
  readonly options: ClientOptions
}

const serializers = [json, cbor, msgpack]

export function placeOf(values: Values<typeof connection>): Place {
  const url = values.url ?? (process.env['WAMPY_URL'] || DEFAULT_URL)
  const realm = values.realm ?? (process.env['WAMPY_REALM'] || DEFAULT_REALM)
  const name = values.serializer ?? json.name
  const serializer = serializers.find((each) => each.name === name)
  if (!serializer)
    throw misuse(`--serializer must be ${serializers.map((each) => each.name).join(', ')}, got "${name}"`)
  if (!isUri(realm)) throw misuse(`"${realm}" is no URI of a realm`)
  return { url, realm, options: { router: routerAt(url), realm, serializers: [serializer] } }
}

function routerAt(url: string): Connector | string {
  if (/^(?:rss?|unix):/i.test(url)) {
    if (/^(?:rss?:\/\/[^/?#\s]+:\d+\/?|unix:(?:\/\/)?\/.+)$/i.test(url)) {
      return new WampRouter({ url, dial: rawSocketDial() })
    }
    throw misuse(`"${url}" is no address of a RawSocket: expected rs://host:port, rss:// or unix:/path`)
  }
  try {
    new WampRouter({ url })
  } catch (error) {
    throw misuse(textOf(error))
  }
  // Where a URL will do: a service may extend the client of another copy of this package.
  return url
}

/** Starts a client, or throws a Failure and leaves it stopped. Once it was ready it reconnects by itself. */
export async function started(client: WampClient, place: Place, signal?: AbortSignal): Promise<void> {
  let giveUp!: (retry: { cause: WampError }) => void
  const failed = new Promise<never>((_, reject) => {
    giveUp = ({ cause }) => reject(cause)
    client.once('retry', giveUp)
  })
  try {
    await Promise.race([client.start({ signal }), failed])
  } catch (error) {
    await client.stop()
    throw WampError.is(error) ? new Failure(why(error, place)) : error
  } finally {
    client.off('retry', giveUp)
  }
}

function why(error: WampError, { url, realm }: Place): string {
  switch (error.uri) {
    case CONNECTION_FAILED:
      return `${error.message} (start one with "wampy router", or name another with --url)`
    case NO_SUCH_REALM:
      return `the router at ${url} has no realm "${realm}": name one that it has with --realm`
    default:
      return `could not start at ${url} in realm ${realm}: ${spelled(error)}`
  }
}
