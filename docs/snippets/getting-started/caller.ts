import { RpcClient } from 'wampy-ts'
import type { DateService } from './service'

await using client = new RpcClient<DateService>({ router: 'ws://localhost:8080/ws' })
console.log(await client.rpc.getTodaysDate()) // '2016-05-14', typed Promise<string>
