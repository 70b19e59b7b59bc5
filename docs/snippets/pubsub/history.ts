import { addTestament, eventHistory, getEvents, WampClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'

const router = new Router({ history: [{ uri: 'com.example.news', limit: 1000 }] })
await using reader = new WampClient({ router })
await using writer = new WampClient({ router })
await Promise.all([reader.start(), writer.start()])

await addTestament(writer, 'com.example.news', ['the writer has gone']) // flushTestaments(writer) takes it back
await writer.publish('com.example.news', ['fresh tea'])
await writer.stop()

for await (const { timestamp, args } of eventHistory(reader, 'com.example.news'))
  console.log(timestamp, args)
const [last] = await getEvents(reader, 'com.example.news', {
  reverse: true,
  limit: 1,
  from_time: new Date(0),
})
console.log(last?.args) // [ 'the writer has gone' ]
