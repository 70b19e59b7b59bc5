import { useEffect, useState } from 'react'
import { WampClient } from 'wampy-ts'

export function Clock() {
  const [time, setTime] = useState('')
  useEffect(() => {
    const client = new WampClient({ router: 'ws://localhost:8080/ws' })
    client.subscribe('com.example.time', ([now]) => setTime(String(now)))
    client.start()
    return () => void client.stop()
  }, [])
  return <time>{time}</time>
}
