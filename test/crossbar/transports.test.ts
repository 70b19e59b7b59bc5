/** The transports of Crossbar.io beside WebSocket: RawSocket, batches, and its broken long polls. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { batching, type Dial, json, longPollDial, WampClient, WampRouter, webSocketDial } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { dial, rawSocketDial } from 'wampy-ts/node'
import { cert } from '../node/certificate.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

const serializers = { json, cbor, msgpack }
type Format = keyof typeof serializers

const FORMATS: Format[] = ['json', 'cbor', 'msgpack']
const on = (scheme: string, { host, port }: Crossbar['universal'], path = ''): string =>
  `${scheme}://${host}:${port}${path}`

const ways: [name: string, url: (crossbar: Crossbar) => string, dial: Dial, formats: Format[]][] = [
  ['RawSocket on a unix socket', ({ rawSocketUrl }) => rawSocketUrl, rawSocketDial(), FORMATS],
  ['RawSocket on a port for all', ({ universal }) => on('rs', universal), rawSocketDial(), FORMATS],
  ['RawSocket in TLS', ({ secure }) => on('rss', secure), rawSocketDial({ ca: cert }), ['cbor']],
  [
    'WebSocket on a port for all, deflated',
    ({ universal }) => on('ws', universal, '/ws'),
    dial({ perMessageDeflate: true }),
    FORMATS,
  ],
  ['WebSocket in TLS', ({ secure }) => on('wss', secure, '/ws'), dial({ ca: cert }), ['json']],
  ['batches', ({ url }) => url, batching(webSocketDial()), ['cbor', 'msgpack']],
  // It does not terminate messages as the specification requires.
  ['batches of its own', ({ url }) => url, batching(webSocketDial(), { separator: '\x18' }), ['json']],
]

test.each(ways.flatMap(([name, url, dial, formats]) => formats.map((format) => [name, format, url, dial] as const)))(
  'over %s in %s: calls and events in both directions',
  async (_name, format, url, dial) => {
    const router = new WampRouter({ url: url(crossbar), dial })
    const make = () => new WampClient({ router, serializers: [serializers[format]], reconnect: false })
    const [one, other] = [make(), make()]
    await Promise.all([one.start(), other.start()])
    const uri = `com.${format}.x${Math.floor(Math.random() * 1e9)}`
    await one.register(uri, (args) => args[0])
    for (const value of ['größer 😀', 'x'.repeat(50_000), [null, true, { deep: [1.5] }]]) {
      expect(await other.call(uri, [value])).toEqual(value)
    }
    const sums = await Promise.all(Array.from({ length: 20 }, (_, i) => other.call(uri, [i])))
    expect(sums).toEqual(Array.from({ length: 20 }, (_, i) => i))
    const heard: unknown[] = []
    await one.subscribe(uri, (args) => void heard.push(args[0]))
    for (let i = 0; i < 5; i++) await other.publish(uri, [i], {}, { acknowledge: true })
    await expect.poll(() => heard).toEqual([0, 1, 2, 3, 4])
    await Promise.all([one.stop(), other.stop()])
  },
)

// A failure means that they were fixed, and belong in the list above.
test('long polls fail in Crossbar.io 26.10 for every client, because its session lacks a transport', async () => {
  const router = new WampRouter({ url: crossbar.longPollUrl, dial: longPollDial() })
  const client = new WampClient({ router, reconnect: false })
  await expect(client.start()).rejects.toMatchObject({ uri: 'wampy.error.connection_lost' })
  expect(crossbar.log).toContain("unexpected router transport type <class 'crossbar.webservice.longpoll")
})
