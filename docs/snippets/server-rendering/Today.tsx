'use client'

import { RpcClient } from 'wampy-ts'
import { useCall, useService, WampProvider } from 'wampy-ts/react'
import type { DateService } from '../getting-started/service'

const router = process.env.NEXT_PUBLIC_ROUTER_URL ?? 'ws://localhost:8080/ws'

export function Today({ initial }: { initial: string }) {
  return (
    <WampProvider create={() => new RpcClient({ router })}>
      <LiveDate initial={initial} />
    </WampProvider>
  )
}

function LiveDate({ initial }: { initial: string }) {
  const { rpc } = useService<DateService>()
  const { data = initial } = useCall(rpc.getTodaysDate, [])
  return <p id="date">{data}</p>
}
