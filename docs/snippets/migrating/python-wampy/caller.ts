import { RpcClient } from 'wampy-ts'
import type { DateService } from './service'

await using client = new RpcClient<DateService>({ router: 'ws://localhost:8080/ws' })
console.log(await client.rpc.get_todays_date())
await client.publish('com.example.news', [], { text: 'fresh tea' }, { acknowledge: true })
