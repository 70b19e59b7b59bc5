import {
  type Interceptor,
  type Invocation,
  RpcClient,
  rpc,
  WampClient,
  WampError,
} from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'

/** Sends a token with each call. */
const withToken = (token: () => Promise<string>): Interceptor => ({
  async call(request, next) {
    return next({ ...request, kwargs: { ...request.kwargs, token: await token() } })
  },
})

/** Lets only calls with a valid token through, without it: no procedure sees the token. */
const checkToken = (isValid: (token: unknown) => boolean): Interceptor => ({
  invocation(request, next) {
    const { token, ...kwargs } = request.kwargs
    if (!isValid(token))
      throw new WampError('wamp.error.not_authorized', [
        `${request.procedure} needs a token`,
      ])
    return next({ ...request, kwargs })
  },
})

class Orders extends WampClient {
  static readonly prefix = 'com.example.orders.'

  @rpc({ invocation: true })
  list({ kwargs }: Invocation, customer: string) {
    return `the orders of ${customer}, asked for with ${JSON.stringify(kwargs)}`
  }
}

await using world = await openWorld()
await using orders = new Orders({
  router: world.connector('orders'),
  interceptors: [checkToken((token) => token === 'secret')],
})
await orders.start()

await using client = new RpcClient({
  service: Orders,
  router: world.connector('client'),
  interceptors: [withToken(async () => 'secret')],
})
console.log(await client.with({ kwargs: { page: 2 } }).rpc.list('Ada'))

await using stranger = new RpcClient({
  service: Orders,
  router: world.connector('stranger'),
})
await stranger.rpc.list('Ada').catch((error) => console.log(error.message))
