import { Wampy } from 'wampy'
import WebSocket from 'ws'

const wampy = new Wampy('ws://localhost:8080/ws', { realm: 'realm1', ws: WebSocket })
await wampy.connect()

await wampy.register('com.example.shop.price', ({ argsList: [article, count = 1] }) => {
  if (article !== 'tea')
    throw { error: 'com.example.error.unknown_article', argsList: [`no ${article} here`] }
  return { argsList: [3 * count] }
})
await wampy.subscribe('com.example.news', ({ argsList: [text] }) => console.log(text))
console.log('ready')
