/** Two composables: a client's state while components use it, and the latest event of a topic. */

import { onMounted, onUnmounted, type Ref, ref, shallowRef } from 'vue'
import type { Client, ClientState, List, Subscription } from 'wampy-ts'

/** Counts the mounted components of each client. */
const users = new WeakMap<Client, number>()

/** Starts the client with the first component that uses it, and stops it with the last. A server mounts none. */
export function useWamp(client: Client): Ref<ClientState> {
  const state = ref(client.state)
  const changed = (now: ClientState) => {
    state.value = now
  }
  onMounted(() => {
    users.set(client, (users.get(client) ?? 0) + 1)
    changed(client.state)
    client.on('state', changed)
    client.start({ timeout: 0 }).catch(() => {})
  })
  onUnmounted(() => {
    const remaining = (users.get(client) ?? 1) - 1
    users.set(client, remaining)
    if (remaining === 0) void client.stop()
    client.off('state', changed)
  })
  return state
}

/** Returns the arguments of the latest event. */
export function useTopic(client: Client, topic: string): Ref<List | undefined> {
  const args = shallowRef<List>()
  let subscribed: Promise<Subscription> | undefined
  onMounted(() => {
    const show = (now: List) => {
      args.value = now
    }
    subscribed = client.subscribe(topic, show, { timeout: 0 })
    subscribed.catch(() => {})
  })
  onUnmounted(() => void subscribed?.then((subscription) => subscription.unsubscribe()).catch(() => {}))
  return args
}
