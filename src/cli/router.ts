/** `wampy router`: a router on a port, until it is told to stop. */

import { type Served, type ServeOptions, serve } from '../node/serve.ts'
import { DEFAULT_REALM } from '../protocol/names.ts'
import { Router } from '../router/router.ts'
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
  },
  notes: `It says where it listens once it accepts connections. It speaks JSON, CBOR and MessagePack. SIGINT and SIGTERM
say GOODBYE to every session and end it with exit code 0; a second one ends it at once.`,
  examples: ['wampy router', 'wampy router --port 9000 --path /wamp --realm public --realm internal'],
  async run({ port = '8080', host, path, realm: realms = [DEFAULT_REALM] }) {
    const number = whole('port', port, 0, 65535)
    const stop = stopping()
    const { router, served } = await opened(realms, { port: number, host, path })
    say(`wampy router listening on ${served.url}`)
    await aborted(stop.signal)
    await router.close()
    await served.close()
  },
})

/** @throws Failure for a realm, an address or a path that cannot be, and for a port that is in use */
async function opened(realms: readonly string[], options: ServeOptions): Promise<{ router: Router; served: Served }> {
  try {
    const router = new Router({ realms })
    return { router, served: await serve(router, options) }
  } catch (error) {
    throw new Failure(textOf(error))
  }
}
