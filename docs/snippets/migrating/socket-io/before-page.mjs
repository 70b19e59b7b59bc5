import { io } from 'socket.io-client'

const [alice, bob] = [io('http://localhost:8080'), io('http://localhost:8080')]

console.log(await alice.emitWithAck('price', 'tea', 2)) // 6

bob.on('message', (text) => {
  console.log(text) // hello
  alice.close()
  bob.close()
})
bob.emit('join room', 'kitchen')
await bob.timeout(1000).emitWithAck('price', 'tea', 0) // the server has handled what was sent before
alice.emit('message', 'kitchen', 'hello')
