import { WampClient } from 'wampy-ts'

const client = new WampClient({ router: 'ws://localhost:8080/ws' })
await client.start()

// All topics that begin so.
await client.subscribe(
  'com.example.weather.',
  ([city], kwargs, { topic }) => console.log(topic),
  { match: 'prefix' },
)

for (const city of ['paris', 'oslo', 'lima']) {
  console.log(
    await client.call(`com.example.weather.${city}.report`),
  )
}
