/** The console session in the README of the original, line for line, through a router on a port given as text. */

import { beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  DEFAULT_REALM,
  DEFAULT_ROLES,
  getRegisteredEntrypoints,
  RpcClient,
  rpc,
  WampClient,
  WampRouter,
} from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { leavesNothing, until } from './support.ts'

leavesNothing()

let port: string
let crossbar: Router

beforeEach(async () => {
  crossbar = new Router()
  const served = await serve(crossbar, { port: 0 })
  port = String(served.port)
  onTestFinished(async () => {
    await crossbar.close()
    await served.close()
  })
})

test('with the decorator', async () => {
  class DateService extends WampClient {
    @rpc
    getTodaysDate() {
      return new Date().toISOString().slice(0, 10)
    }
  }
  const router = new WampRouter({ name: 'Crossbar', host: 'localhost', port, realm: DEFAULT_REALM })
  const service = new DateService({ name: 'Date Service', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
  await service.start()
  expect(service.session.id).toEqual(expect.any(Number))
  expect([...getRegisteredEntrypoints()]).toEqual([[expect.any(Number), [DateService, 'getTodaysDate']]])

  const client = new RpcClient({ name: 'Caller', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
  expect(await client.rpc.getTodaysDate()).toMatch(/^\d{4}-\d\d-\d\d$/)
  expect(client.session.id).not.toBe(service.session.id)

  await client.stop()
  await service.stop()
  expect(getRegisteredEntrypoints().size).toBe(0)
  await until(() => crossbar.links === 0)
})

test('with the static field in place of the decorator', async () => {
  class DateService extends WampClient {
    static rpc = ['getTodaysDate']
    getTodaysDate() {
      return new Date().toISOString().slice(0, 10)
    }
  }
  const router = new WampRouter({ name: 'Crossbar', host: 'localhost', port, realm: DEFAULT_REALM })
  const service = new DateService({ name: 'Date Service', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
  await service.start()
  expect([...getRegisteredEntrypoints().values()]).toEqual([[DateService, 'getTodaysDate']])
  const client = new RpcClient({ name: 'Caller', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
  expect(await client.rpc.getTodaysDate()).toMatch(/^\d{4}-\d\d-\d\d$/)
  await client.stop()
  await service.stop()
})
