import { openWorld } from 'wampy-ts/testing'

await using world = await openWorld()
const [shop, page] = await world.join('shop', 'page')
await shop.register('com.example.shop.price', ([article]) => (article === 'tea' ? 3 : 5))
await page.call('com.example.shop.price', ['tea'])
console.log(world.log.sent('page').at(-1))
console.log(world.log.received('shop').at(-1))
console.log(world.log.sent('shop').at(-1))
console.log(world.log.received('page').at(-1))
