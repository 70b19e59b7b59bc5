import {
  DEFAULT_REALM,
  DEFAULT_ROLES,
  getRegisteredEntrypoints,
  RpcClient,
  rpc,
  WampClient,
  WampRouter,
} from 'wampy-ts'

class DateService extends WampClient {
  @rpc getTodaysDate() {
    return new Date().toLocaleDateString('sv')
  }
}

const crossbar = new WampRouter({
  name: 'Crossbar',
  host: 'localhost',
  port: '8080',
  realm: DEFAULT_REALM,
})
const service = new DateService({
  name: 'Date Service',
  router: crossbar,
  realm: DEFAULT_REALM,
  roles: DEFAULT_ROLES,
})
await service.start() // joined; its procedures are registered
console.log(service.session.id) // 3941615218422338
console.log(getRegisteredEntrypoints()) // Map { 347361574427174 => [DateService, 'getTodaysDate'] }

const client = new RpcClient<DateService>({ name: 'Caller', router: crossbar })
console.log(await client.rpc.getTodaysDate()) // the first call starts the client
await client.stop()
await service.stop()
