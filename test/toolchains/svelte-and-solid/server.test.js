/** Shop.svelte and Shop.jsx on a server: nothing begins there. */

import { renderToString } from 'solid-js/web'
import { render } from 'svelte/server'
import { expect, test } from 'vitest'
import { RpcClient } from 'wampy-ts'
import { Shop as SolidShop } from './svelte-and-solid/Shop.jsx'
import SvelteShop from './svelte-and-solid/Shop.svelte'

test.each([
  ['svelte', (client) => render(SvelteShop, { context: new Map([['wamp', client]]) }).body],
  ['solid', (client) => renderToString(() => SolidShop({ client }))],
])('%s', async (_name, html) => {
  const client = new RpcClient({ router: 'ws://127.0.0.1:1/ws' })
  for (let request = 0; request < 20; request++) expect(html(client)).toMatch(/class="stopped"/)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([client.state, client.eventNames()]).toEqual(['stopped', []])
})
