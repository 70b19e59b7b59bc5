import { RpcClient } from 'wampy-ts'
import type { DateService } from '../getting-started/service'

// Hot reload runs this module anew, and finds the client that it has made before.
const kept = globalThis as { wamp?: RpcClient<DateService> }
const router = process.env.ROUTER_URL ?? 'ws://localhost:8080/ws'
export const wamp = kept.wamp ?? new RpcClient<DateService>({ router, name: 'Page Server' })
kept.wamp = wamp

/** The service, for what a server renders: nobody waits for a page longer than this. */
export const dates = wamp.with({ timeout: 2000 }).rpc
