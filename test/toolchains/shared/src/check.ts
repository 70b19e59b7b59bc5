/** Calls the page's own service, and the one of another process by its contract. */

import { RpcClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { Adder } from './adder'
import type { DateContract } from './contract'

/** `3 -3 30 ba7816bf` if everything works. */
export async function check(url: string): Promise<string> {
  const router = new Router()
  const service = new Adder({ router })
  await service.start()
  const own = new RpcClient({ service: Adder, router })
  const dates = new RpcClient<DateContract>({ router: url, prefix: 'com.example' })
  try {
    const sum = await own.rpc.add(1, 2)
    const results = [sum, await own.rpc.negate(sum), await own.rpc.scale(sum), await dates.rpc.digest('abc')]
    return results.join(' ')
  } finally {
    await Promise.all([own.stop(), dates.stop(), service.stop()])
  }
}

/** The same in a page, whose address names the router: `?router=ws://...`. */
export function checkPage(): Promise<string> {
  return check(new URLSearchParams(location.search).get('router') ?? '').catch(String)
}
