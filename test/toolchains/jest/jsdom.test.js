/** @jest-environment jsdom */

const { RpcClient, WampClient, WampRouter } = require('wampy-ts')
const { Router } = require('wampy-ts/router')
const { cbor } = require('wampy-ts/cbor')
require('wampy-ts/msgpack')
require('wampy-ts/e2ee')

class Adder extends WampClient {
  static rpc = ['add']
  add(a, b) {
    return a + b
  }
}

test('a page in jsdom calls a service in it', async () => {
  expect(typeof TextEncoder).toBe('undefined')
  const router = new Router()
  const service = new Adder({ router })
  await service.start()
  const client = new RpcClient({ service: Adder, router })
  expect(await client.rpc.add(1, 2)).toBe(3)
  await client.stop()
  await service.stop()
})

test('a page in jsdom calls a service elsewhere', async () => {
  const client = new RpcClient({ router: process.env.ROUTER_URL, prefix: 'com.example' })
  expect(await client.rpc.digest('abc')).toBe('ba7816bf')
  await client.stop()
})

test('what needs TextEncoder says how to get it', async () => {
  expect(() => cbor.encode([48, 1, {}, 'com.example.add', { args: ['\u00e9'.repeat(100)], kwargs: undefined }])).toThrow(
    "TextEncoder is missing here; with Jest's jsdom, take it from Node in a setup file",
  )
  const { TextDecoder, TextEncoder } = require('node:util')
  Object.assign(globalThis, { TextDecoder, TextEncoder })
  const text = '\u00e9'.repeat(100)
  const frame = cbor.encode([48, 1, {}, 'com.example.add', { args: [text], kwargs: undefined }])
  expect(cbor.decode(frame)[4].args).toEqual([text])
})
