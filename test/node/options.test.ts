/** Options of servers, dials and worlds: an unknown one, or one of a wrong type, is refused before anything is opened. */

import { expect, test } from 'vitest'
import { batching, longPollDial, portDial, USAGE, WampRouter, webSocketDial } from 'wampy-ts'
import { dial, rawSocketDial, serve, serveRawSocket } from 'wampy-ts/node'
import { acceptPorts, Router } from 'wampy-ts/router'
import { openWorld } from 'wampy-ts/testing'
import { failure } from '../client/support.ts'

const router = new Router()
const { port1: scope } = new MessageChannel()

const functions: Record<string, (options: never) => unknown> = {
  serve: (options) => serve(router, options),
  serveRawSocket: (options) => serveRawSocket(router, options),
  dial,
  rawSocketDial,
  longPollDial,
  webSocketDial,
  batching: (options) => batching(webSocketDial(), options),
  acceptPorts: (options) => acceptPorts(router, scope as never, options),
  openWorld: (options) => openWorld(options),
  WampRouter: (options) => new WampRouter(options),
}

const refused = (run: () => unknown) => failure((async () => run())())

test.each<[string, unknown, string]>([
  ['serve', { ports: 0 }, 'serve has no option "ports": did you mean port?'],
  ['serve', { port: 0, maxConections: 5 }, 'serve has no option "maxConections": did you mean maxConnections?'],
  ['serve', { port: null }, 'serve: port must be a number of a port, got null'],
  ['serve', { port: 'http' }, 'serve: port must be a number of a port, got "http"'],
  ['serve', { port: 0, host: 5 }, 'serve: host must be text, got 5'],
  ['serve', { port: 0, path: 5 }, 'serve: path must be text, got 5'],
  ['serve', { server: {} }, 'serve: server must be a server of node:http or node:https, got a dictionary'],
  ['serve', { port: 0, tls: true }, 'serve: tls must be an object, got true'],
  ['serve', { port: 0, origins: 'https://a.b' }, 'serve: origins must be "*" or a list of origins, got "https://a.b"'],
  ['serve', { port: 0, maxPayload: 0 }, 'serve: maxPayload must be a number above 0, got 0'],
  ['serve', { port: 0, perMessageDeflate: 1 }, 'serve: perMessageDeflate must be true, false or an object, got 1'],
  ['serve', { port: 0, rawSocket: 'no' }, 'serve: rawSocket must be true or false, got "no"'],
  ['serve', { port: 0, longPoll: 1 }, 'serve: longPoll must be true, false or its options, got 1'],
  ['serve', { port: 0, longPoll: { hold: 0 } }, 'longPoll.hold must be milliseconds from 1, got 0'],
  ['serve', { port: 0, longPoll: { timeOut: 0 } }, 'longPoll has no option "timeOut": did you mean timeout?'],
  ['serve', { port: 0, pingInterval: -1 }, 'serve: pingInterval must be milliseconds: 0, or a number from 1, got -1'],
  ['serve', { pingTimeout: Number.NaN }, 'serve: pingTimeout must be milliseconds: 0, or a number from 1, got NaN'],
  ['serve', { serializers: [] }, 'serve: serializers must be a list of serializers, such as [json], got an empty list'],
  ['serve', { serializers: ['json'] }, 'serve: serializers must be a list of serializers, such as [json], got "json"'],
  ['serve', 8080, 'serve takes options, such as { pingInterval: ... }, got 8080'],
  ['serveRawSocket', { longPoll: true }, /^serveRawSocket has no option "longPoll", but pingInterval, /] as never,
  ['serveRawSocket', { mode: 'rw' }, 'serveRawSocket: mode must be the permissions of a file, such as 0o600, got "rw"'],
  ['dial', { header: {} }, 'dial has no option "header": did you mean headers?'],
  ['dial', { rejectUnauthorized: 0 }, 'dial: rejectUnauthorized must be true or false, got 0'],
  ['rawSocketDial', { headers: {} }, /^rawSocketDial has no option "headers"/] as never,
  ['rawSocketDial', { ca: 5 }, 'rawSocketDial: ca must be text, bytes or a list of them, got 5'],
  ['longPollDial', { credentials: true }, 'longPollDial: credentials must be omit, same-origin or include, got true'],
  ['webSocketDial', { websocket: class {} }, 'webSocketDial has no option "websocket": did you mean webSocket?'],
  ['batching', { separator: ';' }, 'batching: separator must be U+001E or U+0018, got ";"'],
  ['acceptPorts', { maxpayload: 5 }, 'acceptPorts has no option "maxpayload": did you mean maxPayload?'],
  ['openWorld', { link: 'tcp' }, 'openWorld: link must be linked, wires, websocket, got "tcp"'],
  ['openWorld', { transport: 'wires' }, 'openWorld has no option "transport", but link, serializer, router'],
  ['openWorld', { router: { realm: 'a' } }, 'Router has no option "realm": did you mean realms?'],
  ['WampRouter', { uri: 'ws://here' }, 'WampRouter has no option "uri": did you mean url?'],
  ['WampRouter', { tls: 'yes' }, 'WampRouter: tls must be true or false, got "yes"'],
  ['WampRouter', { port: {} }, 'WampRouter: port must be a number from 1 to 65535, got a dictionary'],
  ['WampRouter', 'ws://a:b@here/ws', "WampRouter takes options, such as { url: 'ws://localhost:8080/ws' }, got text"],
])('%s with %j', async (name, options, text) => {
  expect(await refused(() => functions[name]!(options as never))).toMatchObject({
    uri: USAGE,
    message: typeof text === 'string' ? text : expect.stringMatching(text),
  })
})

test('a wrong first argument is named: a router, a dial or a worker was expected', async () => {
  for (const [run, text] of [
    [
      () => serve({ port: 0 } as never),
      /^serve expects a Router as its first argument, such as serve\(new Router\(\)\), got a dictionary$/,
    ],
    [
      () => serveRawSocket(undefined as never),
      /^serveRawSocket expects a Router as its first argument, .* got undefined$/,
    ],
    [() => acceptPorts({ serializers: [] } as never), /^acceptPorts expects a Router as its first argument/],
    [() => batching({} as never), /^batching expects a dial as its first argument, got a dictionary$/],
    [
      () => portDial('/router.js' as never),
      /^portDial expects a worker, a port, or a function that returns one, got "\/router/,
    ],
    [() => portDial(null as never), /^portDial expects a worker, .* got null$/],
  ] as const) {
    expect(await refused(run)).toMatchObject({ uri: USAGE, message: expect.stringMatching(text) })
  }
})
