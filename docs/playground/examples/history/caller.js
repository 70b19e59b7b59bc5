import { eventHistory, WampClient } from 'wampy-ts'

const late = new WampClient({ router: 'ws://localhost:8080/ws' })
await late.start()

for await (const { args } of eventHistory(late, 'com.example.chat'))
  console.log('past:', ...args)

await late.subscribe(
  'com.example.status',
  ([text]) => console.log('retained:', text),
  { get_retained: true },
)
