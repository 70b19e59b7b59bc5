/** A router on a port of its own, the clients that joined it, and the check that they leave nothing behind. */

import { expect } from 'vitest'
import { type ServeOptions, serve } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import { type Foreign, type Format, join, joinForeign, type Library, type Login, type Peer } from './peers.ts'

export interface World extends AsyncDisposable {
  readonly router: Router
  readonly url: string
  join(library: 'wampy-ts', format?: Format): Promise<Peer>
  join(library: Exclude<Library, 'wampy-ts'>, format?: Format, login?: Login): Promise<Foreign>
  join(library: Library, format?: Format): Promise<Peer>
}

export async function openWorld(options: RouterOptions = {}, serving: ServeOptions = {}): Promise<World> {
  const router = new Router(options)
  const served = await serve(router, { port: 0, ...serving })
  const peers: Peer[] = []
  return {
    router,
    url: served.url,
    async join(library: Library, format?: Format, login?: Login) {
      const { url } = served
      const peer = await (login && library !== 'wampy-ts'
        ? joinForeign(library, url, format, login)
        : join(library, url, format))
      peers.push(peer)
      return peer as Foreign
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(peers.map((peer) => peer.leave()))
      await expect.poll(() => router.links, { interval: 2 }).toBe(0)
      const { sessions, subscriptions, registrations, calls } = router.stats()
      await router.close()
      await served.close()
      expect({ sessions, subscriptions, registrations, calls }).toEqual({
        sessions: 0,
        subscriptions: 0,
        registrations: 0,
        calls: 0,
      })
      expect(peers.flatMap((peer) => peer.complaints)).toEqual([])
    },
  }
}
