/** The console session of the original's README in plain JavaScript; the port is the first argument. */

import { DEFAULT_REALM, DEFAULT_ROLES, getRegisteredEntrypoints, RpcClient, WampClient, WampRouter } from 'wampy-ts'

class DateService extends WampClient {
  static rpc = ['getTodaysDate']
  getTodaysDate() {
    return '2016-05-15'
  }
}

const router = new WampRouter({ name: 'Crossbar', host: 'localhost', port: process.argv[2], realm: DEFAULT_REALM })
const service = new DateService({ name: 'Date Service', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
await service.start()
console.log(service.session.id)
for (const [id, [Service, method]] of getRegisteredEntrypoints()) console.log(typeof id, Service.name, method)
const client = new RpcClient({ name: 'Caller', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
console.log(await client.rpc.getTodaysDate())
await client.stop()
await service.stop()
