import autobahn from 'autobahn'

const connection = new autobahn.Connection({
  url: 'ws://localhost:8080/ws',
  realm: 'realm1',
})

connection.onopen = async (session) => {
  console.log(await session.call('com.example.shop.price', ['tea', 2])) // 6
  try {
    await session.call('com.example.shop.price', ['gold'])
  } catch (error) {
    console.log(error.error, error.args[0]) // com.example.error.unknown_article no gold here
  }
  await session.publish('com.example.news', ['fresh tea'], {}, { acknowledge: true })
  connection.close()
}

connection.open()
