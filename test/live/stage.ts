/** Shared by the tests of stores, hooks and composables: a world with a publisher, and a client whose link can be cut. */

import { type Client, type ClientOptions, type Connector, RpcClient, WampClient } from 'wampy-ts'
import { type Link, openWorld, type WireMessage } from 'wampy-ts/testing'

/** Everything is stopped at its disposal. The client starts itself, or with the option `waits` when it is told to. */
export async function openStage({ waits = false, ...options }: ClientOptions & { readonly waits?: boolean } = {}) {
  const world = await openWorld()
  const [alice] = await world.join('alice')
  const links: Link[] = []
  const clients: Client[] = []
  /** A connector whose links `cut` ends. */
  const connector = (name: string): Connector => {
    const inner = world.connector(name)
    return {
      name,
      async connect(serializers, signal) {
        const link = await inner.connect(serializers, signal)
        links.push(link)
        return link
      },
    }
  }
  /** One more client, stopped at the end. */
  const add = (name: string, given: ClientOptions = {}) => {
    const made = new (waits ? WampClient : RpcClient)({
      reconnect: { initial: 1 },
      ...given,
      name,
      router: connector(name),
    })
    clients.push(made)
    return made
  }
  const client = add('client', options)
  return {
    world,
    /** A joined client that publishes and registers. */
    alice,
    client,
    add,
    /** Ends all links of the clients, as a lost network does. */
    cut() {
      for (const link of links.splice(0)) link.terminate()
    },
    /** The messages with these codes that the client sent, without their request ids. */
    sent(...codes: number[]): WireMessage[] {
      return world.log
        .sent('client')
        .filter(([code]) => codes.includes(code as number))
        .map(([code, , ...rest]) => [code, ...rest])
    },
    /** What the client still holds: listeners, handles and what the router knows of it. */
    held() {
      const { subscriptions, calls } = world.router.stats()
      const listeners = client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
      return { listeners, handles: client.subscriptions.length, subscriptions, calls }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((each) => each.stop()))
      await world[Symbol.asyncDispose]()
    },
  }
}

export type Stage = Awaited<ReturnType<typeof openStage>>

/** True if the client has left nothing behind, neither here nor in the router. */
export const isFree = (stage: Stage): boolean => Object.values(stage.held()).every((count) => count === 0)
