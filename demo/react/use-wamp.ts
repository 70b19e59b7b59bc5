/** Two hooks: a client's state while components use it, and the latest event of a topic. */

import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Client, ClientState, List } from 'wampy-ts'

/** Counts the mounted components of each client. StrictMode mounts each of them twice. */
const users = new WeakMap<Client, number>()

/** Starts the client with the first component that uses it, and stops it with the last. */
export function useWamp(client: Client): ClientState {
  useEffect(() => {
    users.set(client, (users.get(client) ?? 0) + 1)
    client.start({ timeout: 0 }).catch(() => {})
    return () => {
      const remaining = (users.get(client) ?? 1) - 1
      users.set(client, remaining)
      if (remaining === 0) void client.stop()
    }
  }, [client])
  return useSyncExternalStore(
    (changed) => {
      client.on('state', changed)
      return () => client.off('state', changed)
    },
    () => client.state,
    // A server renders without effects: no client is started there.
    () => 'stopped',
  )
}

/** Returns the arguments of the latest event. */
export function useTopic(client: Client, topic: string): List | undefined {
  const [args, setArgs] = useState<List>()
  useEffect(() => {
    const subscribed = client.subscribe(topic, setArgs, { timeout: 0 })
    subscribed.catch(() => {})
    return () => void subscribed.then((subscription) => subscription.unsubscribe()).catch(() => {})
  }, [client, topic])
  return args
}
