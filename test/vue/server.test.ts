/** The composables on a server: nothing begins there, and nothing is left of what was rendered. */

import { expect, test } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { useCall, useConnection, useEvents, useStream, useSubscription, wamp } from 'wampy-ts/vue'
import { leavesNothing, until } from '../client/support.ts'
import { isFree, openStage } from '../live/stage.ts'

leavesNothing()

test('100 renders start nothing, wait for nothing and leave no listener', async () => {
  await using stage = await openStage()
  const App = defineComponent({
    async setup() {
      const { state } = useConnection()
      const { status } = useSubscription('com.example.t', () => {}, { throwOnError: true })
      const { events } = useEvents(() => 'com.example.t')
      const stream = useStream('com.example.f', [])
      const call = await useCall('com.example.f', [])
      return () =>
        h('p', [state.value, status.value, events.value.length, stream.status.value, call.status.value].join(' '))
    },
  })
  for (let request = 0; request < 100; request++) {
    const app = createSSRApp(App).use(wamp({ client: stage.client }))
    expect(await renderToString(app)).toBe('<p>stopped pending 0 pending pending</p>')
  }
  const created = stage.add('created')
  const owning = createSSRApp(App).use(wamp({ create: () => created }))
  expect(await renderToString(owning)).toBe('<p>stopped pending 0 pending pending</p>')
  await new Promise((resolve) => setImmediate(resolve))
  expect(created.state).toBe('stopped')
  expect(stage.client.state).toBe('stopped')
  expect(stage.client.eventNames()).toEqual([])
  expect(stage.world.router.stats().sessions).toBe(1)
  await until(() => isFree(stage))
})
