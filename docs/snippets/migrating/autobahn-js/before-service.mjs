import autobahn from 'autobahn'

const connection = new autobahn.Connection({
  url: 'ws://localhost:8080/ws',
  realm: 'realm1',
})

connection.onopen = async (session) => {
  await session.register('com.example.shop.price', ([article, count = 1]) => {
    if (article !== 'tea')
      throw new autobahn.Error('com.example.error.unknown_article', [`no ${article} here`])
    return 3 * count
  })
  await session.subscribe('com.example.news', ([text]) => console.log(text))
  console.log('ready')
}

connection.open()
