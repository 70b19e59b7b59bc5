import { WampClient } from 'wampy-ts'

const router = 'ws://localhost:8080/ws'
await using alice = new WampClient({ router })
await using bob = new WampClient({ router })
await Promise.all([alice.start(), bob.start()])

const got = new Promise((resolve) => {
  void alice.subscribe('com.example.news', (args, kwargs, details) =>
    resolve([args, kwargs, details.topic]),
  )
})
await alice.subscribe('com.example.news', ([text]) => console.log(text))
const publication = await bob.publish(
  'com.example.news',
  ['fresh tea'],
  { price: 3 },
  { acknowledge: true },
)
console.log(publication, await got)

const [subscription] = alice.subscriptions
await subscription?.unsubscribe()
