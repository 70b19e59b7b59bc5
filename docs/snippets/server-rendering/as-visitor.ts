import { RpcClient, WampRouter } from 'wampy-ts'
import { cookie } from 'wampy-ts/auth'
import { dial } from 'wampy-ts/node'
import type { DateService } from '../getting-started/service'

const url = process.env.ROUTER_URL ?? 'ws://localhost:8080/ws'

/** Calls as the visitor who has sent this request. */
export async function todayFor(request: Request): Promise<string> {
  const headers = { cookie: request.headers.get('cookie') ?? '' }
  const router = new WampRouter({ url, dial: dial({ headers }) })
  const options = { router, auth: [cookie()], reconnect: false } as const
  await using client = new RpcClient<DateService>(options)
  return await client.rpc.getTodaysDate()
}
