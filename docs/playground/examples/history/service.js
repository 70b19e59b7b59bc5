import { addTestament, WampClient } from 'wampy-ts'

const ben = new WampClient({ router: 'ws://localhost:8080/ws' })
await ben.start()

// Published by the router when this session ends, however it ends.
await addTestament(ben, 'com.example.chat', ['ben has left'])

await ben.publish(
  'com.example.chat',
  ['hello'],
  {},
  { acknowledge: true },
)

// The last event of a topic, kept for those who come later.
await ben.publish(
  'com.example.status',
  ['ben is here'],
  {},
  { acknowledge: true, retain: true },
)
await ben.stop()
