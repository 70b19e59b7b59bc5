import { WampClient, WampError } from 'wampy-ts'

const tickets = new Map([['joe', 'tea']])

await using backend = new WampClient({ router: 'ws://localhost:8080/ws' })
await backend.start()
await backend.register('com.example.authenticate', ([realm, authid, details]) => {
  const { ticket } = details as { ticket: string }
  if (tickets.get(String(authid)) === ticket) return { realm, authid, role: 'user' }
  throw new WampError('com.example.error.denied', ['no such user, or another ticket'])
})
const answer = await backend.call('com.example.authenticate', [
  'realm1',
  'joe',
  { ticket: 'tea' },
])
console.log(answer) // { realm: 'realm1', authid: 'joe', role: 'user' }
