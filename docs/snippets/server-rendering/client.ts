import { RpcClient } from 'wampy-ts'
import type { DateService } from '../getting-started/service'

// One for the whole process. It connects at its first call.
export const client = new RpcClient<DateService>({
  router: process.env['ROUTER_URL'] ?? 'ws://localhost:8080/ws',
})
