import { useEffect, useState } from 'react'
import { RpcClient } from 'wampy-ts'
import type { DateService } from '../getting-started/service'

export function Today() {
  const [date, setDate] = useState('asking...')
  useEffect(() => {
    const client = new RpcClient<DateService>({ router: 'ws://localhost:8080/ws' })
    client.rpc.getTodaysDate().then(setDate, (error: Error) => setDate(error.message))
    return () => void client.stop()
  }, [])
  return <p id="date">{date}</p>
}
