import { RpcClient } from 'wampy-ts'
import { useCall, useConnection, useEvents, useService, WampProvider } from 'wampy-ts/react'
import type { DateService } from '../getting-started/service'

export function App() {
  return (
    <WampProvider create={() => new RpcClient({ router: 'ws://localhost:8080/ws' })}>
      <Today />
      <Clock />
    </WampProvider>
  )
}

function Today() {
  const { rpc } = useService<DateService>()
  const { data = 'asking...', error } = useCall(rpc.getTodaysDate, [])
  return <p id="date">{error ? error.message : data}</p>
}

function Clock() {
  const { state } = useConnection()
  const { latest } = useEvents('com.example.time', { select: ([now]) => String(now) })
  return <time className={state}>{latest}</time>
}
