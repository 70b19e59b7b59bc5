/** The examples of the playground in the docs print what they are expected to, and the page takes nothing but reports. */

import { readdirSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { bundleScripts } from '../../docs/playground/bundle.ts'
import { examples } from '../../docs/playground/examples.ts'
import { formatLog } from '../../docs/playground/format-log.ts'
import { asReport, PROGRAMS } from '../../docs/playground/messages.ts'
import { fromHash, toHash } from '../../docs/playground/url-state.ts'
import { expected, hasInOrder } from './playground-expected.ts'
import { PlaygroundWorld, programsOf } from './playground-world.ts'

let runtime = ''
beforeAll(async () => {
  runtime = (await bundleScripts()).runtime
})

test('the script of the workers is at most 120 kB, compressed', () => {
  expect(gzipSync(runtime).length).toBeLessThan(120_000)
})

test('every folder of examples is in the list, and has an expectation', () => {
  const ids = examples.map(({ id }) => id)
  expect([...ids].sort()).toEqual(readdirSync('docs/playground/examples').sort())
  expect([...ids].sort()).toEqual(Object.keys(expected).sort())
})

describe('examples', () => {
  test.each(examples.map(({ id }) => id))('%s', async (id) => {
    await using world = new PlaygroundWorld()
    const { consoles, wire } = expected[id]!
    await world.start(runtime, programsOf(id))
    await world.until(
      () =>
        PROGRAMS.every((program) => world.lines(program).length >= (consoles[program]?.length ?? 0)) &&
        hasInOrder(world.messages(), wire),
    )
    for (const program of PROGRAMS) {
      const lines = (consoles[program] ?? []).map((line) =>
        typeof line === 'string' ? line : expect.stringMatching(line),
      )
      expect(world.lines(program), program).toEqual(lines)
    }
    expect(hasInOrder(world.messages(), wire), world.messages().join(', ')).toBe(true)
  })
})

const nothing = { router: '', service: '', caller: '' }

describe('a program', () => {
  test('shows an uncaught error, and a rejected promise, with their lines', async () => {
    await using world = new PlaygroundWorld()
    const caller = "\nPromise.reject(new TypeError('nobody waits'))\nawait 0\n\nnull.length\n"
    await world.start(runtime, { ...nothing, caller })
    await world.until(() => world.logs.length === 2)
    const errors = world.logs.map(({ program, level, text, line }) => ({ program, level, text, line }))
    // In either order: the platform decides when it reports a rejection.
    expect(errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))).toEqual([
      { program: 'caller', level: 'error', text: 'Uncaught (in promise) TypeError: nobody waits', line: 2 },
      { program: 'caller', level: 'error', text: expect.stringMatching(/^Uncaught TypeError: .*null/), line: 5 },
    ])
  })

  test('connects over any serializer, and the wire shows its messages as JSON', async () => {
    await using world = new PlaygroundWorld()
    const client = (name: string) => `
      import { WampClient } from 'wampy-ts'
      import { ${name} } from 'wampy-ts/${name}'
      const client = new WampClient({ serializers: [${name}], router: 'ws://localhost:8080/ws' })
      await client.start()
      console.log(await client.call('wamp.session.count', [['anonymous']]))`
    await world.start(runtime, { ...programsOf('first-call'), service: client('cbor'), caller: client('msgpack') })
    await world.until(() => world.rows.filter(({ type }) => type === 'RESULT').length === 2)
    expect([...world.lines('service'), ...world.lines('caller')]).toEqual(['1', '2'])
    expect(world.rows.filter(({ way }) => way === 'opened').map(({ text }) => text)).toEqual([
      'wamp.2.cbor',
      'wamp.2.msgpack',
    ])
    const [call] = world.rows.filter(({ type }) => type === 'CALL')
    expect(JSON.parse(call!.text)).toEqual([48, expect.any(Number), {}, 'wamp.session.count', [['anonymous']]])
  })

  test('fails to connect to an address at which no router is served', async () => {
    await using world = new PlaygroundWorld()
    const caller = `
      import { WampClient } from 'wampy-ts'
      const client = new WampClient({ router: 'ws://localhost:9999/ws', reconnect: false })
      await client.start().catch((error) => console.log(error.uri))`
    await world.start(runtime, { ...programsOf('first-call'), caller })
    await world.until(() => world.lines('caller').length === 1)
    expect(world.lines('caller')).toEqual(['wampy.error.connection_failed'])
  })

  test('may print without end: what comes too fast is counted', async () => {
    await using world = new PlaygroundWorld()
    const caller = `for (let n = 0; n < 1000; n++) console.log(n)
      await new Promise((resolve) => setTimeout(resolve, 300))
      console.log('later')`
    await world.start(runtime, { ...nothing, caller })
    await world.until(() => world.lines('caller').at(-1) === 'later')
    const shown = world.logs.length
    const skipped = world.logs.reduce((sum, log) => sum + log.skipped, 0)
    expect(shown + skipped).toBe(1001)
    expect(skipped).toBeGreaterThan(0)
  })
})

test.each([
  ['text', ['plain'], 'plain'],
  ['places', ['%s has %d of %o, %%', 'Ann', 2, [1]], 'Ann has 2 of [ 1 ], %'],
  ['nested values', [{ a: [1, 'b', null], 'c-d': undefined }], "{ a: [ 1, 'b', null ], 'c-d': undefined }"],
  ['collections', [new Map([['a', 1n]]), new Set([true])], "Map(1) { 'a' => 1n } Set(1) { true }"],
  ['bytes', [new Uint8Array([1, 255])], 'Uint8Array(2) [ 1, 255 ]'],
  ['functions and classes', [Math.max, class Shop {}], '[Function: max] [class Shop]'],
  [
    'an error with its properties',
    [Object.assign(new TypeError('no'), { uri: 'a.b' })],
    "TypeError: no { uri: 'a.b' }",
  ],
])('a console formats %s', (_, values, text) => {
  expect(formatLog(values)).toBe(text)
})

test('a console formats cycles, and getters that throw', () => {
  const cycle: { self?: object; readonly bad: never } = {
    get bad(): never {
      throw new RangeError('never')
    },
  }
  cycle.self = cycle
  expect(formatLog([cycle])).toBe('{ bad: RangeError: never, self: [Circular] }')
})

describe('the page takes', () => {
  const log = { kind: 'log', program: 'caller', level: 'log', text: 'a', line: 1, skipped: 0 }
  const row = { at: 1.5, side: 'caller', connection: 1, way: 'sent', type: 'CALL', text: '[]', length: 2 }

  test('reports', () => {
    for (const report of [
      log,
      { ...log, line: undefined },
      { kind: 'wire', rows: [row], skipped: 3 },
      { kind: 'state', program: 'router', state: 'failed' },
    ]) {
      expect(asReport(report)).toBe(report)
    }
  })

  test.each([
    ['null', null],
    ['text', 'log'],
    ['an unknown program', { ...log, program: 'page' }],
    ['a text that is not one', { ...log, text: { html: '<b>' } }],
    ['a long text', { ...log, text: 'a'.repeat(20_000) }],
    ['a negative line', { ...log, line: -1 }],
    ['an unknown state', { kind: 'state', program: 'router', state: 'ready' }],
    ['too many rows', { kind: 'wire', rows: Array(201).fill(row), skipped: 0 }],
    ['a row of the router', { kind: 'wire', rows: [{ ...row, side: 'router' }], skipped: 0 }],
    ['a row without a time', { kind: 'wire', rows: [{ ...row, at: Number.NaN }], skipped: 0 }],
    ['an unknown kind', { kind: 'run', program: 'caller' }],
  ])('not %s', (_, value) => {
    expect(asReport(value)).toBeUndefined()
  })
})

describe('the hash of a URL', () => {
  test('keeps the example and the edited programs', async () => {
    const state = { example: 'pubsub', edits: { caller: "console.log('☕')\n".repeat(100), router: '' } }
    const hash = await toHash(state)
    expect(hash).toMatch(/^#example=pubsub&code=[\w-]{20,400}$/)
    expect(await fromHash(hash!)).toEqual(state)
    expect(await toHash({ example: 'pubsub', edits: {} })).toBe('#example=pubsub')
    expect(await fromHash('#example=pubsub')).toEqual({ example: 'pubsub', edits: {} })
  })

  test('is bounded, before and after it is unpacked', async () => {
    const random = Array.from(crypto.getRandomValues(new Uint8Array(40_000)), (byte) => byte.toString(36)).join('')
    expect(await toHash({ example: 'pubsub', edits: { caller: random } })).toBeUndefined()
    expect(await toHash({ example: 'pubsub', edits: { caller: 'a'.repeat(300_000) } })).toBeUndefined()
    // 10 MB of zeros are 10 kB when they are packed.
    const bomb = new Blob([new Uint8Array(10_000_000)]).stream().pipeThrough(new CompressionStream('deflate-raw'))
    const packed = Buffer.from(await new Response(bomb).arrayBuffer()).toString('base64url')
    expect(packed.length).toBeLessThan(20_000)
    expect(await fromHash(`#example=pubsub&code=${packed}`)).toBeUndefined()
  })

  test.each([
    '',
    '#a-heading',
    '#example=',
    '#example=a&code=!!',
    '#example=a&code=AAAA',
    `#example=${'a'.repeat(40_000)}`,
  ])('that is not a state yields none: %.30s', async (hash) => {
    expect(await fromHash(hash)).toBeUndefined()
  })

  test('has only texts of programs', async () => {
    const hash = await toHash({ example: 'a', edits: { caller: 1, page: 'x', service: 's' } as never })
    expect(await fromHash(hash!)).toEqual({ example: 'a', edits: { service: 's' } })
  })
})
