/** What the tests of authentication share: served routers, clients of one login, and the ABORTs of refusals. */

import { expect, onTestFinished } from 'vitest'
import { type ClientOptions, type Dial, longPollDial, RpcClient, WampError, WampRouter, webSocketDial } from 'wampy-ts'
import type { ClientAuth } from 'wampy-ts/auth'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { rawSocketDial, type Served, type ServeOptions, serve } from 'wampy-ts/node'
import { json, Router, type RouterOptions, type Serializer } from 'wampy-ts/router'

export const serializers: Readonly<Record<string, Serializer>> = { json, cbor, msgpack }

/** Dials by transport, and the URL for each. */
export const transports: Readonly<Record<string, (served: Served) => { url: string; dial: Dial }>> = {
  websocket: ({ url }) => ({ url, dial: webSocketDial() }),
  rawsocket: ({ rawSocketUrl = '' }) => ({ url: rawSocketUrl, dial: rawSocketDial() }),
  longpoll: ({ longPollUrl = '' }) => ({ url: longPollUrl, dial: longPollDial() }),
}

/** A router that is closed when the test is over. */
export async function served(options: RouterOptions, serving: ServeOptions = {}): Promise<Served & { router: Router }> {
  const router = new Router(options)
  const server = await serve(router, { port: 0, longPoll: true, ...serving })
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  return Object.assign(Object.create(server) as Served, { router })
}

/** A client that is stopped when the test is over. */
export function clientWith(auth: readonly ClientAuth[], options: ClientOptions): RpcClient {
  const client = new RpcClient({ reconnect: false, auth, ...options })
  onTestFinished(() => client.stop())
  return client
}

/** Joins by one of the transports, and returns the session. */
export async function login(
  server: Served,
  auth: readonly ClientAuth[],
  {
    transport = 'websocket',
    serializer = 'json',
    ...options
  }: ClientOptions & { transport?: string; serializer?: string } = {},
) {
  const { url, dial } = (transports[transport] as (typeof transports)[string])(server)
  const chosen = serializers[serializer] as Serializer
  const client = clientWith(auth, { router: new WampRouter({ url, dial }), serializers: [chosen], ...options })
  await client.start()
  return client.session
}

/** The error of a login that is refused. */
export async function refusal(...args: Parameters<typeof login>): Promise<WampError> {
  const error: unknown = await login(...args).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(WampError)
  return error as WampError
}
