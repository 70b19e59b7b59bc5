/** `wampy router`: a router on a port, until it is told to stop. */

import { resolve } from 'node:path'
import { serveRawSocket } from '../node/rawsocket-serve.ts'
import { type ServeOptions, serve } from '../node/serve.ts'
import { DEFAULT_REALM } from '../protocol/names.ts'
import { Router, type RouterOptions } from '../router/router.ts'
import { command, whole } from './command.ts'
import { Failure, say, textOf } from './failure.ts'
import { aborted, stopping } from './stopping.ts'

export const router = command({
  name: 'router',
  summary: 'Starts a router, with a Broker and a Dealer for each realm.',
  options: {
    port: { type: 'string', value: 'port', help: 'the port to listen on; 0 picks a free one (default: 8080)' },
    host: { type: 'string', value: 'host', help: '127.0.0.1 (default) for this machine, 0.0.0.0 for every interface' },
    path: { type: 'string', value: 'path', help: 'the path of its URL (default: /ws)' },
    realm: { type: 'string', multiple: true, value: 'realm', help: `a realm, repeatable (default: ${DEFAULT_REALM})` },
    strict: {
      type: 'boolean',
      help: 'demand strict URIs (a-z, 0-9 and _ alone), request ids in sequence, and that known libraries do as they say',
    },
    unix: { type: 'string', value: 'path', help: 'listen on this unix socket as well, for RawSocket' },
    'no-raw-socket': { type: 'boolean', help: 'refuse RawSocket on the port: WebSocket alone' },
    'long-poll': { type: 'boolean', help: 'let clients without WebSocket poll, below <path>/lp' },
  },
  notes: `It says where it listens once it accepts connections, a line for each place. It speaks JSON, CBOR and MessagePack,
by WebSocket, and by RawSocket on the same port: rs://127.0.0.1:8080. SIGINT and SIGTERM say GOODBYE to every session and
end it with exit code 0; a second one ends it at once.`,
  examples: [
    'wampy router',
    'wampy router --port 9000 --path /wamp --realm public --realm internal',
    'wampy router --unix /tmp/wampy.sock --no-raw-socket',
  ],
  async run({ port = '8080', host, path, realm: realms = [DEFAULT_REALM], strict, unix, ...also }) {
    const number = whole('port', port, 0, 65535)
    const stop = stopping()
    const { router, urls, close } = await opened(
      { realms, strict },
      { port: number, host, path, rawSocket: !also['no-raw-socket'], longPoll: also['long-poll'] },
      // Absolute, as clients elsewhere must name it.
      unix === undefined ? undefined : resolve(unix),
    )
    for (const url of urls) say(`wampy router listening on ${url}`)
    await aborted(stop.signal)
    await router.close()
    await close()
  },
})

interface Opened {
  readonly router: Router
  readonly urls: readonly string[]
  close(): Promise<unknown>
}

/** @throws Failure for a realm, an address or a path that cannot be, and for a port or a path that is in use */
async function opened(of: RouterOptions, options: ServeOptions, unix: string | undefined): Promise<Opened> {
  try {
    const router = new Router(of)
    const served = await serve(router, options)
    // Last: what fails after it would leave its file behind.
    const local = unix === undefined ? undefined : await serveRawSocket(router, { path: unix })
    return {
      router,
      urls: [served.url, served.longPollUrl, local?.url].filter((url) => url !== undefined),
      close: () => Promise.all([served.close(), local?.close()]),
    }
  } catch (error) {
    throw new Failure(textOf(error))
  }
}
