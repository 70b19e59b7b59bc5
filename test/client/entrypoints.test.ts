/** The entrypoints of this process: the class and method behind each registration. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { getRegisteredEntrypoints, rpc, WampClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, granting, leavesNothing, next, until, uri, welcoming } from './support.ts'

leavesNothing()

class DateService extends WampClient {
  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
  @rpc('com.example.time') getTime(): string {
    return '12:00'
  }
}

test('are listed from start to stop, by registration id', async () => {
  await using world = await openWorld()
  const service = new DateService({ router: world.router })
  expect(getRegisteredEntrypoints()).toEqual(new Map())
  await service.start()
  const [date, time] = service.registrations
  expect(getRegisteredEntrypoints()).toEqual(
    new Map([
      [date?.id, [DateService, 'getTodaysDate']],
      [time?.id, [DateService, 'getTime']],
    ]),
  )
  await service.stop()
  expect(getRegisteredEntrypoints()).toEqual(new Map())
})

test('contain declared procedures, not those registered by hand', async () => {
  await using world = await openWorld()
  const [client] = await world.join('client')
  await client.register('com.example.f', () => {})
  expect(getRegisteredEntrypoints().size).toBe(0)
})

test('are returned as a copy', async () => {
  await using world = await openWorld()
  await using service = new DateService({ router: world.router })
  await service.start()
  getRegisteredEntrypoints().clear()
  expect(getRegisteredEntrypoints().size).toBe(2)
})

test('of several services are listed together; stop removes only those of its own service', async () => {
  await using world = await openWorld()
  const one = new DateService({ router: world.router })
  const two = new DateService({ router: world.router, prefix: 'two' })
  await one.start()
  expect(await failure(two.start())).toEqual(uri('wamp.error.procedure_already_exists'))
  await until(() => two.state === 'stopped')
  expect(getRegisteredEntrypoints().size).toBe(2)
  class Other extends WampClient {
    @rpc('com.example.other') other(): void {}
  }
  await using other = new Other({ router: world.router })
  await other.start()
  expect(getRegisteredEntrypoints().size).toBe(3)
  await one.stop()
  expect([...getRegisteredEntrypoints().values()]).toEqual([[Other, 'other']])
})

test('of services that share a registration are listed until the last of them stops', async () => {
  class Shared extends WampClient {
    @rpc({ uri: 'com.example.shared', invoke: 'roundrobin' }) one(): void {}
  }
  class Renamed extends WampClient {
    @rpc({ uri: 'com.example.shared', invoke: 'roundrobin' }) other(): void {}
  }
  await using world = await openWorld()
  const services = [Shared, Shared, Renamed].map((Service) => new Service({ router: world.router }))
  for (const service of services) await service.start()
  const [id] = services.map((service) => service.registrations[0]?.id as number)
  expect(getRegisteredEntrypoints()).toEqual(new Map([[id, [Shared, 'one']]]))
  await services[0]?.stop()
  expect(getRegisteredEntrypoints()).toEqual(new Map([[id, [Shared, 'one']]]))
  await services[1]?.registrations[0]?.unregister()
  expect(getRegisteredEntrypoints()).toEqual(new Map([[id, [Renamed, 'other']]]))
  await Promise.all(services.map((service) => service.stop()))
  expect(getRegisteredEntrypoints().size).toBe(0)
})

test('are removed on a loss, and listed again with the new ids', async () => {
  let offset = 0
  const router = welcoming((message, peer) =>
    granting([message[0], message[1], {}, ''], {
      send: (granted: unknown[]) => peer.send([granted[0], granted[1], (granted[2] as number) + offset]),
    } as never),
  )
  const service = new DateService({ router, reconnect: { initial: 1 } })
  onTestFinished(() => service.stop())
  await service.start()
  expect([...getRegisteredEntrypoints().keys()]).toEqual([1001, 1002])
  offset = 500
  const [lost, ready] = [next(service, 'lost'), next(service, 'ready')]
  router.peers[0]?.terminate()
  await lost
  expect(getRegisteredEntrypoints().size).toBe(0)
  await ready
  expect([...getRegisteredEntrypoints().keys()]).toEqual([1501, 1502])
})

test('are removed with an unregistered method', async () => {
  await using world = await openWorld()
  await using service = new DateService({ router: world.router })
  await service.start()
  await service.registrations[0]?.unregister()
  expect([...getRegisteredEntrypoints().values()]).toEqual([[DateService, 'getTime']])
})

test('are one Map for all copies of the library in a process', async () => {
  await using world = await openWorld()
  await using service = new DateService({ router: world.router })
  await service.start()
  vi.resetModules()
  const other = (await import('wampy-ts')) as { getRegisteredEntrypoints: typeof getRegisteredEntrypoints }
  expect(other.getRegisteredEntrypoints).not.toBe(getRegisteredEntrypoints)
  expect(other.getRegisteredEntrypoints().size).toBe(2)
})
