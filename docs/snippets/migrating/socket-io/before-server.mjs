import { Server } from 'socket.io'

const io = new Server(8080)

io.on('connection', (socket) => {
  socket.on('price', (article, count, answer) =>
    answer(article === 'tea' ? 3 * count : 5 * count),
  )

  socket.on('join room', (room) => socket.join(room))
  socket.on('message', (room, text) => socket.to(room).emit('message', text))
})
console.log('ready')
