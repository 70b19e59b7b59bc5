/** Every public function and class with options of its own refuses unknown ones and wrong types, and names the nearest. */

import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  batching,
  json,
  longPollDial,
  packed,
  passthru,
  RpcClient,
  USAGE,
  WampClient,
  WampRouter,
  webSocketDial,
} from 'wampy-ts'
import { dial, rawSocketDial, serve, serveRawSocket } from 'wampy-ts/node'
import { acceptPorts, Router } from 'wampy-ts/router'
import { openWorld, scripted, scriptedRouter, tap, WireLog, wires } from 'wampy-ts/testing'

type Given = (options: never) => unknown

const router = () => {
  const made = new Router()
  onTestFinished(() => made.close())
  return made
}

/** By name: the use of options, an option with a typing error, and the option that is meant. */
const withOptions: [name: string, use: Given, typo: string, meant: string][] = [
  ['WampClient', (options) => new WampClient(options), 'realmm', 'realm'],
  ['RpcClient', (options) => new RpcClient(options), 'servce', 'service'],
  ['WampRouter', (options) => new WampRouter(options), 'hots', 'host'],
  ['Router', (options) => new Router(options), 'realm', 'realms'],
  ['serve', (options) => serve(router(), options), 'prot', 'port'],
  ['serveRawSocket', (options) => serveRawSocket(router(), options), 'paht', 'path'],
  ['dial', (options) => dial(options), 'header', 'headers'],
  ['rawSocketDial', (options) => rawSocketDial(options), 'maxPaylod', 'maxPayload'],
  ['webSocketDial', (options) => webSocketDial(options), 'webSoket', 'webSocket'],
  ['longPollDial', (options) => longPollDial(options), 'credential', 'credentials'],
  ['batching', (options) => batching(webSocketDial(), options), 'seperator', 'separator'],
  ['acceptPorts', (options) => acceptPorts(router(), undefined as never, options), 'serialiser', 'serializers'],
  ['wires', (options) => wires(options), 'holds', 'hold'],
  ['openWorld', (options) => openWorld(options), 'links', 'link'],
]

test.each(withOptions)('%s names an unknown option, and the nearest one', async (name, use, typo, meant) => {
  const refused = (async () => use({ [typo]: 1 } as never))()
  await expect(refused).rejects.toMatchObject({
    uri: USAGE,
    message: expect.stringMatching(`^${name} has no option "${typo}"(: did you mean ${meant}|, but .*\\b${meant}\\b)`),
  })
})

test.each(withOptions)('%s refuses what is not a dictionary', async (name, use) => {
  for (const options of [5, true, 'text', []]) {
    const refused = (async () => use(options as never))()
    // A WampClient is often given its URL, and a message says where that belongs.
    await expect(refused).rejects.toMatchObject({
      uri: USAGE,
      message: expect.stringMatching(`^${name} takes options`),
    })
  }
})

describe('a value of a wrong type is refused by name', () => {
  const codec = packed('x_mine', json)
  const server = createServer()
  const link = { open() {}, send() {}, close() {}, backlog: 0 } as never
  test.each<[string, () => unknown]>([
    ['serve: port must be', () => serve(router(), { port: 'x' as never })],
    ['serve: server must be', () => serve(router(), { server: [server] as never })],
    ['wires: hold must be true or false, got 1', () => wires({ hold: 1 as never })],
    ['wires: protocol must be text, got 5', () => wires({ protocol: 5 as never })],
    ['passthru takes codecs', () => passthru(5 as never)],
    ['passthru takes codecs', () => passthru(undefined as never)],
    ['ppt_scheme must be', () => passthru({ ...codec, scheme: 'mine' })],
    ['passthru: covers must be a function, got "a.b"', () => passthru({ ...codec, covers: 'a.b' as never })],
    ['passthru: required must be true or false, got 1', () => passthru({ ...codec, required: 1 as never })],
    ['passthru: cipher must be text, got true', () => passthru({ ...codec, cipher: true as never })],
    ['passthru: encode must be a function, got null', () => passthru({ scheme: 'x_mine' } as never)],
    ['passthru: decode must be a function, got 7', () => passthru({ ...codec, decode: 7 as never })],
    ['ppt_scheme must be', () => packed('mine', json)],
    ['packed: serializer must be a serializer, such as json, got "json"', () => packed('x_mine', 'json' as never)],
    ['packed: covers must be a function, got "a.b"', () => packed('x_mine', json, 'a.b' as never)],
    ['scripted: router must be a Router of this process, got null', () => scripted(undefined as never)],
    ['scripted: router must be a Router of this process, got "ws://', () => scripted('ws://localhost/ws' as never)],
    ['scriptedRouter: answer must be a function, got null', () => scriptedRouter(undefined as never)],
    ['tap: link must be a link, got null', () => tap(undefined as never, 'alice', new WireLog())],
    ['tap: name must be text, got 5', () => tap(link, 5 as never, new WireLog())],
    ['tap: log must be a WireLog, got null', () => tap(link, 'alice', undefined as never)],
  ])('%s', async (text, use) => {
    const refused = (async () => use())()
    await expect(refused).rejects.toMatchObject({ uri: USAGE, message: expect.stringContaining(text) })
  })
})
