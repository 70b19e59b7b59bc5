import { RpcClient, WampError } from 'wampy-ts'
import { Router } from 'wampy-ts/router'

const router = new Router({
  authorize: [
    {
      name: 'anonymous',
      permissions: [{ uri: 'wamp.session.count', allow: { call: true } }],
    },
  ],
})
await using client = new RpcClient({ router })
console.log(await client.call('wamp.session.count')) // 1
await client.call('wamp.session.list').catch((error) => {
  if (WampError.is(error)) console.log(error.uri) // wamp.error.not_authorized
})
