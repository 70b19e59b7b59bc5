import { WampClient } from 'wampy-ts'

await using client = new WampClient({
  name: 'Dashboard',
  router: 'ws://localhost:8080/ws',
  realm: 'realm1',
  reconnect: { initial: 250, max: 30_000, factor: 2 }, // or false, or (attempt, cause) => milliseconds | false
  liveness: { idle: 20_000, answer: 10_000 }, // or false
})
client.on('state', (state) => console.log(state)) // stopped, connecting, ready, reconnecting
client.on('ready', (session) =>
  console.log(session.id, session.realm, session.authid, session.authrole),
)
client.on('lost', (cause) => console.log(cause.message))
client.on('retry', ({ attempt, delay }) => console.log(`attempt ${attempt} in ${delay} ms`))
client.on('failed', (handle, error) =>
  console.log(`${handle.uri} was refused on the rejoin: ${error.uri}`),
)
client.on('error', (error) => console.log('a handler threw', error))
client.on('warning', ({ message }) => console.log(message))
client.on('stopped', (cause) => console.log(cause ? `stopped by ${cause.uri}` : 'stopped'))
await client.start({ timeout: 10_000 })
