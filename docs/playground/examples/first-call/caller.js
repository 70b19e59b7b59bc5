import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const shop = client.service('com.example.shop').rpc

console.log(await shop.price('tea', 2)) // the first call connects

const both = [shop.price('tea'), shop.price('tea', 10)]
console.log(await Promise.all(both))
await client.stop()
