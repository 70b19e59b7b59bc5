/** Two composables: a client's state while a component is there, and the latest event of a topic. */

import { onScopeDispose, type Ref, ref, shallowRef } from 'vue'
import type { Client, ClientState, List } from 'wampy-ts'

/** Starts the client, and stops it with the component. */
export function useWamp(client: Client): Ref<ClientState> {
  const state = ref(client.state)
  const changed = (now: ClientState) => {
    state.value = now
  }
  client.on('state', changed)
  client.start({ timeout: 0 }).catch(() => {})
  onScopeDispose(() => {
    client.off('state', changed)
    void client.stop()
  })
  return state
}

/** The arguments of the latest event. */
export function useTopic(client: Client, topic: string): Ref<List | undefined> {
  const args = shallowRef<List>()
  const subscribed = client.subscribe(
    topic,
    (now) => {
      args.value = now
    },
    { timeout: 0 },
  )
  subscribed.catch(() => {})
  onScopeDispose(() => void subscribed.then((subscription) => subscription.unsubscribe()).catch(() => {}))
  return args
}
