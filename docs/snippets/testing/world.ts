import { openWorld } from 'wampy-ts/testing'

await using world = await openWorld() // a router in memory; { link: 'websocket' } for real sockets
const [alice, bob] = await world.join('alice', 'bob')
await alice.register('com.example.add', ([a, b]) => (a as number) + (b as number))
console.log(await bob.call('com.example.add', [1, 2]))
console.log(world.log.received('alice')) // the wire, message by message
