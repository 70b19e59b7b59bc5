import { RpcClient, uriOf } from 'wampy-ts'
import type { DateService } from '../getting-started/service'
import type { Shop } from '../services/shop'

await using client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const shop = client.service<Shop>('com.example.shop')
const dates = client.service<DateService>() // without a prefix

console.log(await shop.rpc.price('tea')) // 3
console.log(uriOf(shop.rpc.price), uriOf(dates.rpc.getTodaysDate)) // com.example.shop.price getTodaysDate
