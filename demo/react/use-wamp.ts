/** Two hooks: a client's state while a component is there, and the latest event of a topic. */

import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Client, ClientState, List } from 'wampy-ts'

/** Starts the client, and stops it when the last component that uses it has gone. StrictMode does both twice. */
export function useWamp(client: Client): ClientState {
  useEffect(() => {
    client.start({ timeout: 0 }).catch(() => {})
    return () => void client.stop()
  }, [client])
  return useSyncExternalStore(
    (changed) => {
      client.on('state', changed)
      return () => client.off('state', changed)
    },
    () => client.state,
  )
}

/** The arguments of the latest event. */
export function useTopic(client: Client, topic: string): List | undefined {
  const [args, setArgs] = useState<List>()
  useEffect(() => {
    const subscribed = client.subscribe(topic, setArgs, { timeout: 0 })
    subscribed.catch(() => {})
    return () => void subscribed.then((subscription) => subscription.unsubscribe()).catch(() => {})
  }, [client, topic])
  return args
}
