/** The date by a call, the time by a topic, and the state of the connection. */

import { useCall, useConnection, useEvents, useService } from 'wampy-ts/react'
import type { DateService } from '../date-service.ts'

export function useToday() {
  const { rpc } = useService<DateService>()
  const { data: today, error, refetch } = useCall(rpc.getTodaysDate, [])
  const { latest: time } = useEvents('demo.clock.tick', { limit: 1, select: ([now]) => String(now) })
  const { state } = useConnection()
  return { today, problem: error?.uri, call: refetch, time, state }
}
