import { subscribe, topic, WampClient } from 'wampy-ts'
import { z } from 'zod'

// The types of its events ...
const news = topic<[text: string], { price: number }>('com.example.news')
// ... or schemas, which also check them; and a pattern of topics.
const offers = topic('com.example.offers', {
  args: [z.string(), z.coerce.date()],
})
const weather = topic<[degrees: number]>('com.example.weather.', { match: 'prefix' })

class Reader extends WampClient {
  @subscribe(news) onNews(text: string) {
    console.log('news:', text)
  }
}

const router = 'ws://localhost:8080/ws'
await using reader = new Reader({ router })
await using client = new WampClient({ router })
await Promise.all([reader.start(), client.start()])
await reader.subscribe(offers, ([text, until]) => console.log(text, until.getFullYear()))
const events = reader.events(weather)
await events.subscription

await client.publish(news, ['fresh tea'], { price: 3 })
await client.publish(offers, ['tea', '2027-01-31'])
await client.publish(offers, ['tea', 'soon']).catch((error) => console.log(error.message))
await client.publish('com.example.weather.oslo', [-3])
for await (const { topic, args } of events) {
  const [degrees] = args
  console.log(topic, degrees.toFixed(1))
  break
}
