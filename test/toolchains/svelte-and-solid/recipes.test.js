/** Shop.svelte and Shop.jsx, by signal-of.js, in a document: they show what the stores keep, and leave nothing behind. */

import { render } from 'solid-js/web'
import { mount, unmount } from 'svelte'
import { expect, test, vi } from 'vitest'
import { RpcClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { Shop as SolidShop } from './svelte-and-solid/Shop.jsx'
import SvelteShop from './svelte-and-solid/Shop.svelte'

const frameworks = {
  svelte(target, client) {
    const shop = mount(SvelteShop, { target, context: new Map([['wamp', client]]) })
    return () => unmount(shop)
  },
  solid: (target, client) => render(() => SolidShop({ client }), target),
}

test.each(Object.keys(frameworks))('%s', async (name) => {
  const world = await openWorld()
  const [alice] = await world.join('alice')
  let left = 10
  await alice.register('com.example.shop.stock', ([article]) => (article === 'tea' ? left : 0))
  const client = new RpcClient({ name: 'page', router: world.connector('page') })
  const target = document.createElement('div')
  document.body.append(target)
  const leave = frameworks[name](target, client)
  const text = () => target.querySelector('p')?.textContent?.trim()
  const section = () => target.querySelector('section')

  await vi.waitFor(() => expect([section().className, section().dataset.status]).toEqual(['ready', 'active']))
  await vi.waitFor(() => expect(text()).toBe('10 in stock, 0 sold'))
  for (let sale = 0; sale < 50; sale++) await alice.publish('com.example.shop.sold.tea', [1])
  await alice.publish('com.example.time', ['12:30'])
  await vi.waitFor(() => expect(text()).toBe('10 in stock, 50 sold'))
  await vi.waitFor(() => expect(target.querySelector('time').textContent).toBe('12:30'))
  left = 9
  target.querySelector('button').click()
  await vi.waitFor(() => expect(text()).toBe('9 in stock, 50 sold'))

  const select = target.querySelector('select')
  select.value = 'coffee'
  select.dispatchEvent(new Event('change', { bubbles: true }))
  await vi.waitFor(() => expect(text()).toBe('0 in stock, 50 sold'))
  await vi.waitFor(() => expect(client.subscriptions.map(({ uri }) => uri)).toContain('com.example.shop.sold.coffee'))
  expect(client.subscriptions).toHaveLength(2)
  await alice.publish('com.example.shop.sold.tea', [1])
  await alice.publish('com.example.shop.sold.coffee', [2])
  await vi.waitFor(() => expect(text()).toBe('0 in stock, 52 sold'))

  await leave()
  await vi.waitFor(() => expect([client.eventNames(), client.subscriptions]).toEqual([[], []]))
  await vi.waitFor(() => expect(world.router.stats().subscriptions).toBe(0))
  target.remove()
  await client.stop()
  await world[Symbol.asyncDispose]()
})
