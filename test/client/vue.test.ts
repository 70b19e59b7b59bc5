/** A client, its proxy and its handles in Vue's reactive state: they can be watched and rendered, and still work. */

import { expect, onTestFinished, test } from 'vitest'
import { computed, effectScope, isReactive, nextTick, reactive, readonly, ref, shallowRef, watch } from 'vue'
import { RpcClient, rpc, WampClient, WampRouter } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { openWorld } from 'wampy-ts/testing'
import { leavesNothing } from './support.ts'

leavesNothing()

class DateService extends WampClient {
  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
}

async function served() {
  const router = new Router()
  const service = new DateService({ router })
  onTestFinished(() => service.stop())
  await service.start()
  return router
}

test('a client in a ref works', async () => {
  const client = ref(new RpcClient<DateService>({ router: await served() }))
  expect(isReactive(client.value)).toBe(false)
  expect(await client.value.rpc.getTodaysDate()).toBe('2016-05-15')
  expect(client.value.session.realm).toBe('realm1')
  await client.value.stop()
  expect(client.value.state).toBe('stopped')
})

test('a client within reactive and readonly state works', async () => {
  const state = reactive({ client: new RpcClient<DateService>({ router: await served() }), list: [] as WampClient[] })
  state.list.push(new WampClient({ router: new Router() }))
  expect(await state.client.rpc.getTodaysDate()).toBe('2016-05-15')
  await state.list[0]?.start()
  expect(state.list[0]?.state).toBe('ready')
  await state.list[0]?.stop()
  await readonly(state).client.stop()
})

test('a deep watch, a computed and a shallowRef of it send nothing and do no harm', async () => {
  const router = await served()
  const before = router.stats().sessions
  const scope = effectScope()
  onTestFinished(() => scope.stop())
  const client = ref(new RpcClient({ router }))
  const state = reactive({ rpc: client.value.rpc, deep: { add: client.value.rpc.com.example.add }, count: 0 })
  let changes = 0
  scope.run(() => {
    watch(client, () => changes++, { deep: true, immediate: true })
    watch(state, () => changes++, { deep: true, immediate: true })
    const name = computed(() => `${client.value.name} ${state.rpc}`)
    expect(name.value).toBe('RpcClient rpc ')
    shallowRef(client.value.rpc)
    ref(client.value.rpc)
  })
  state.count++
  await nextTick()
  expect(changes).toBe(3)
  expect(router.stats()).toMatchObject({ sessions: before })
  expect(client.value.state).toBe('stopped')
})

test('handles in reactive state work, and so does a router', async () => {
  await using world = await openWorld()
  const [alice] = await world.join('alice')
  const state = reactive({
    subscription: await alice.subscribe('com.example.t', () => {}),
    registration: await alice.register('com.example.f', () => 1),
    router: new WampRouter({ realm: 'realm1' }),
  })
  expect(isReactive(state.subscription)).toBe(false)
  expect(state.router.realm).toBe('realm1')
  expect(new WampClient({ router: state.router })).toBeInstanceOf(WampClient)
  await state.subscription.unsubscribe()
  await state.registration.unregister()
  expect([state.subscription.state, state.registration.state]).toEqual(['closed', 'closed'])
})

test("values in a component's reactive state can be sent", async () => {
  for (const link of ['linked', 'wires'] as const) {
    await using world = await openWorld({ link })
    const [alice] = await world.join('alice')
    await alice.register('com.example.echo', ([value]) => value)
    const form = reactive({ name: 'Joe', tags: ['a', 'b'], nested: { list: [{ n: 1 }] } })
    expect(await alice.call('com.example.echo', [form])).toEqual({
      name: 'Joe',
      tags: ['a', 'b'],
      nested: { list: [{ n: 1 }] },
    })
    expect(await alice.call('com.example.echo', form.tags)).toBe('a')
  }
})
