import { renderToString } from 'react-dom/server'
import { RpcClient } from 'wampy-ts'
import { WampProvider } from 'wampy-ts/react'
import { Clock } from './Clock'
import { client } from './client'

const date = await client.rpc.getTodaysDate()
console.log(
  renderToString(
    <WampProvider create={() => new RpcClient({ router: 'ws://localhost:8080/ws' })}>
      <Clock date={date} />
    </WampProvider>,
  ),
)
await client.stop() // a server does this when it ends
