/** `router.close({ drain })`: calls in progress are finished, within a limit, and nothing new begins. */

import { afterEach, describe, expect, test } from 'vitest'
import { type ClientOptions, WampClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { failure, gate, uri } from '../client/support.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function joined(router: Router, options: ClientOptions = {}) {
  const client = new WampClient({ router, reconnect: false, ...options })
  cleanups.push(() => client.stop())
  await client.start()
  return client
}

async function world() {
  const router = new Router()
  cleanups.push(() => router.close())
  const [service, caller] = [await joined(router), await joined(router)]
  const begun = gate()
  const finish = gate<string>()
  await service.register('a.slow', () => {
    begun.open()
    return finish.opened
  })
  const call = caller.call('a.slow')
  await begun.opened
  return { router, service, caller, call, finish: finish.open }
}

describe('a router that drains', () => {
  test('waits for the answer of a call in progress, and then ends every session', async () => {
    const { router, service, caller, call, finish } = await world()
    const closed = router.close({ drain: 60_000 })
    expect(router.closing).toBe(true)
    expect([service.state, caller.state]).toEqual(['ready', 'ready'])
    finish('done')
    expect(await call).toBe('done')
    await closed
    await expect.poll(() => [service.state, caller.state]).toEqual(['stopped', 'stopped'])
    expect(router.stats().calls).toBe(0)
  })

  test('refuses new calls and new sessions, and goes on with events and with calls of a procedure in progress', async () => {
    const router = new Router()
    const [service, other, caller] = [await joined(router), await joined(router), await joined(router)]
    const begun = gate()
    const finish = gate()
    await other.register('a.part', () => 'of the whole')
    await service.register('a.slow', async () => {
      begun.open()
      await finish.opened
      return service.call('a.part')
    })
    const heard: unknown[] = []
    await caller.subscribe('a.news', ([text]) => void heard.push(text))
    const call = caller.call('a.slow')
    await begun.opened
    const closed = router.close({ drain: 60_000 })
    expect(await failure(caller.call('a.part'))).toMatchObject({
      uri: 'wamp.error.unavailable',
      message: 'the router is closing',
    })
    expect(await failure(joined(router))).toMatchObject({ uri: 'wamp.close.system_shutdown' })
    await other.publish('a.news', ['still here'], {}, { acknowledge: true })
    await expect.poll(() => heard).toEqual(['still here'])
    finish.open()
    expect(await call).toBe('of the whole')
    await closed
  })

  test('waits no longer than its limit; the caller is told', async () => {
    const { router, call } = await world()
    const lost = failure(call)
    await router.close({ drain: 1 })
    expect(await lost).toMatchObject({ uri: 'wamp.error.canceled', sent: true })
  })

  test('does not wait when no call is in progress, nor without the option', async () => {
    const { router, call, finish } = await world()
    finish('done')
    await call
    await router.close({ drain: 1_000_000 })
    const other = await world()
    const lost = failure(other.call)
    await other.router.close()
    expect(await lost).toEqual(uri('wamp.error.canceled'))
  })

  test('waits for a call whose callee leaves, and for one that is canceled', async () => {
    const one = await world()
    const closed = one.router.close({ drain: 60_000 })
    const refused = failure(one.call)
    await one.service.stop()
    expect(await refused).toEqual(uri('wamp.error.canceled'))
    await closed
  })
})

test.each([{ drain: -1 }, { drain: '1 s' }, { drian: 5 }, { reason: 'not a uri' }, 'not a uri', 7])(
  'close(%j) is a usage error, and the router goes on',
  async (options) => {
    const { router, call, finish } = await world()
    expect(() => router.close(options as never)).toThrow(expect.objectContaining({ uri: 'wampy.error.usage' }))
    finish('done')
    expect(await call).toBe('done')
    expect(router.closing).toBe(false)
  },
)
