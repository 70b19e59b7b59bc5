/** The router process is killed under load and restarted: every call settles, and every handle is restored. */

import { expect, onTestFinished, test } from 'vitest'
import { WampClient } from '../../src/client/wamp-client.ts'
import { WampError } from '../../src/protocol/error.ts'
import { cli, freePort } from './support.ts'

const PROCEDURES = 40
const TOPICS = 40
const CALLS_AT_ONCE = 200

function settled(ready: Promise<unknown>[], timeout: number): Promise<unknown> {
  return Promise.race([
    Promise.all(ready),
    new Promise((_, reject) => setTimeout(() => reject(new Error('still waiting')), timeout).unref()),
  ])
}

test.each(['SIGKILL', 'SIGTERM'] as const)('%s under load', { timeout: 40_000 }, async (signal) => {
  const port = await freePort()
  const start = () => cli('router', '--port', String(port))
  let router = start()
  await router.said(/listening on/)

  const reconnect = { initial: 50, max: 200 }
  const open = async (name: string) => {
    const client = new WampClient({ name, router: `ws://127.0.0.1:${port}/ws`, reconnect })
    await client.start()
    onTestFinished(() => client.stop())
    return client
  }
  const [callee, caller] = await Promise.all([open('callee'), open('caller')])
  for (let i = 0; i < PROCEDURES; i++) await callee.register(`com.procedure${i}`, ([value]) => value)
  let events: string[] = []
  for (let i = 0; i < TOPICS; i++) await caller.subscribe(`com.topic${i}`, (_, __, { topic }) => events.push(topic))

  for (let round = 1; round <= 3; round++) {
    let pending = 0
    let done = 0
    const causes: WampError[] = []
    let under = true
    const caused = new Promise<void>((resolve) => {
      const call = async (value: number): Promise<void> => {
        while (under) {
          pending++
          try {
            expect(await caller.call(`com.procedure${value % PROCEDURES}`, [value])).toBe(value)
            if (++done === 2 * CALLS_AT_ONCE) router.kill(signal)
          } catch (error) {
            causes.push(error as WampError)
            return
          } finally {
            pending--
          }
        }
      }
      void Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, i) => call(i))).then(() => resolve())
    })
    const back = [callee, caller].map((client) => new Promise((resolve) => client.once('ready', resolve)))
    await settled([caused], 10_000)
    under = false
    await router.ended
    expect(pending).toBe(0)
    expect(causes).toHaveLength(CALLS_AT_ONCE)
    for (const cause of causes) {
      expect(WampError.is(cause)).toBe(true)
      // A router that stops first answers the caller that its callee is gone.
      expect(cause.uri).toMatch(/connection_lost|not_joined|canceled|no_such_procedure/)
      if (cause.uri.startsWith('wampy.error')) expect(typeof cause.sent).toBe('boolean')
    }

    router = start()
    await router.said(/listening on/)
    await settled(back, 10_000)
    expect(callee.registrations.map(({ state }) => state)).toEqual(Array(PROCEDURES).fill('active'))
    expect(caller.subscriptions.map(({ state }) => state)).toEqual(Array(TOPICS).fill('active'))
    for (let i = 0; i < PROCEDURES; i++) expect(await caller.call(`com.procedure${i}`, [i])).toBe(i)
    events = []
    const all = new Promise<void>((resolve) => {
      void caller.subscribe('com.last', () => resolve())
    })
    for (let i = 0; i < TOPICS; i++) await callee.publish(`com.topic${i}`, [], {}, { acknowledge: true })
    await callee.publish('com.last', [], {}, { acknowledge: true })
    await settled([all], 5000)
    expect(events).toEqual(Array.from({ length: TOPICS }, (_, i) => `com.topic${i}`))
    await caller.subscriptions.find(({ uri }) => uri === 'com.last')?.unsubscribe()
  }
})
