'use client'

import { useConnection, useEvents } from 'wampy-ts/react'

export function Clock({ date }: { date: string }) {
  const { state } = useConnection()
  const { latest = date } = useEvents('com.example.time', {
    select: ([now]) => String(now),
  })
  return <time className={state}>{latest}</time>
}
