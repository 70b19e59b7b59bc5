import { WampClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'

const router = new Router()
await using client = new WampClient({ router })
await client.start()

const heard: string[] = []
await client.subscribe('com.example.price.tea', (_args, _kwargs, { topic }) =>
  heard.push(`exact ${topic}`),
)
await client.subscribe(
  'com.example.price.',
  (_args, _kwargs, { topic }) => heard.push(`prefix ${topic}`),
  {
    match: 'prefix',
  },
)
await client.subscribe(
  'com.example..tea',
  (_args, _kwargs, { topic }) => heard.push(`wildcard ${topic}`),
  {
    match: 'wildcard',
  },
)

for (const topic of [
  'com.example.price.tea',
  'com.example.price.coffee',
  'com.example.stock.tea',
]) {
  await client.publish(topic, [], {}, { acknowledge: true, exclude_me: false })
}
await client.call('wamp.session.count') // its answer comes behind the events
console.log(heard.join('\n'))

await client.register('com.example.', () => 'prefix', { match: 'prefix' })
await client.register('com.example.price.', () => 'longer prefix', { match: 'prefix' })
await client.register('com.example..tea', () => 'wildcard', { match: 'wildcard' })
await client.register('com.example.stock.tea', () => 'exact')
for (const procedure of [
  'com.example.stock.tea',
  'com.example.price.tea',
  'com.example.sugar',
]) {
  console.log(procedure, '->', await client.call(procedure))
}
