/** What the tests of authentication share: served routers, clients of one login, and the ABORTs of refusals. */

import { expect, onTestFinished } from 'vitest'
import { type ClientOptions, RpcClient, WampError } from 'wampy-ts'
import type { ClientAuth } from 'wampy-ts/auth'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { type Served, type ServeOptions, serve } from 'wampy-ts/node'
import { json, Router, type RouterOptions, type Serializer } from 'wampy-ts/router'

export const serializers: Readonly<Record<string, Serializer>> = { json, cbor, msgpack }

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

/** Joins over WebSocket, and returns the session. */
export async function login({ url }: Served, auth: readonly ClientAuth[], options: ClientOptions = {}) {
  const client = clientWith(auth, { router: url, ...options })
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
