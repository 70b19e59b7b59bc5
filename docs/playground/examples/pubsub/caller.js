import { WampClient } from 'wampy-ts'

const alice = new WampClient({ router: 'ws://localhost:8080/ws' })
const bob = new WampClient({ router: 'ws://localhost:8080/ws' })
await Promise.all([alice.start(), bob.start()])

// With a handler ...
await alice.subscribe('com.example.news', ([text], { article }) =>
  console.log('alice:', text, [article]),
)

// ... or in a loop.
const events = bob.events('com.example.news')
await events.subscription

console.log(await alice.call('com.example.shop.order', ['tea']))

for await (const { args } of events) {
  console.log('bob:', ...args)
  break // unsubscribes
}

// A publisher does not receive its own events, unless it asks for
// them.
await alice.publish(
  'com.example.news',
  ['alice is here'],
  {},
  { exclude_me: false, acknowledge: true },
)
