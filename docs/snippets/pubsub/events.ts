import { WampClient } from 'wampy-ts'

await using client = new WampClient({ router: 'ws://localhost:8080/ws' })
await client.start()
const events = client.events('com.example.weather.', {
  match: 'prefix',
  buffer: 100,
  overflow: 'oldest',
})
await events.subscription
await client.publish('com.example.weather.oslo', [-3], {}, { exclude_me: false })
for await (const { topic, args } of events) {
  console.log(topic, args)
  break // unsubscribes
}
