/** Starts a service and a caller at the router of its first argument, calls, stops, and does not call process.exit. */

import { RpcClient, rpc, WampClient } from 'wampy-ts'

class DateService extends WampClient {
  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
}

const router = process.argv[2] as string
const service = new DateService({ router })
await service.start()
const client = new RpcClient<DateService>({ router })
console.log(await client.rpc.getTodaysDate())
await client.subscribe('com.example.tick', () => {})
await client.stop()
await service.stop()

const stopped = Date.now()
const sockets = process.getActiveResourcesInfo().filter((resource) => /^(TCP|Timeout|TLS)/.test(resource))
console.log(`open: ${JSON.stringify(sockets)}`)
process.on('exit', () => console.log(`ended after ${Date.now() - stopped} ms`))
