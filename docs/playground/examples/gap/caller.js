// Exists only here: ends the connections of this program.
import { cut } from 'playground'
import { getEvents, WampClient } from 'wampy-ts'

const reader = new WampClient({
  router: 'ws://localhost:8080/ws',
  reconnect: { initial: 350, max: 350 },
})
reader.on('state', (state) => console.log(`(${state})`))

// After a rejoin the subscription is back. What was published
// meanwhile is missing, and can be fetched.
reader.on('gap', async (handle, { after }) => {
  const missed = await getEvents(reader, handle, {
    after_publication: after,
  })
  console.log(
    'missed:',
    missed.map(({ args }) => args[0]).join(', '),
  )
})

await reader.start()
let received = 0
await reader.subscribe('com.example.news', ([text]) => {
  received++
  console.log(text)
  if (received === 3) cut()
  if (received === 6) reader.stop()
})
