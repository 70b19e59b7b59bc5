import { Wampy } from 'wampy'
import WebSocket from 'ws'

const wampy = new Wampy('ws://localhost:8080/ws', { realm: 'realm1', ws: WebSocket })
await wampy.connect()

const result = await wampy.call('com.example.shop.price', { argsList: ['tea', 2] })
console.log(result.argsList[0]) // 6
try {
  await wampy.call('com.example.shop.price', { argsList: ['gold'] })
} catch (error) {
  console.log(error.errorUri, error.argsList[0]) // com.example.error.unknown_article no gold here
}
await wampy.publish('com.example.news', { argsList: ['fresh tea'] })
await wampy.disconnect()
