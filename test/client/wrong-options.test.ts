/** Options of a wrong type: refused before sending, on every operation, with an error that names the option. */

import { describe, expect, test } from 'vitest'
import {
  addTestament,
  type Dict,
  eventHistory,
  flushTestaments,
  getEvents,
  RpcClient,
  rpc,
  subscribe,
  USAGE,
  WampClient,
} from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { clientOf, failure, granting, leavesNothing, welcoming } from './support.ts'

leavesNothing()

const uri = 'com.example.t'

/** Every operation that takes options, of a client and of a caller. */
const operations: Record<string, (client: WampClient, caller: RpcClient, options: Dict) => Promise<unknown>> = {
  call: (client, _, options) => client.call(uri, [], {}, options),
  callRaw: (client, _, options) => client.callRaw(uri, [], {}, options),
  progress: async (client, _, options) => client.progress(uri, [], {}, options).result,
  publish: (client, _, options) => client.publish(uri, [], {}, options),
  subscribe: (client, _, options) => client.subscribe(uri, () => {}, options as never),
  events: async (client, _, options) => client.events(uri, options),
  register: (client, _, options) => client.register(uri, () => {}, options as never),
  testament: (client, _, options) => addTestament(client, uri, [], {}, { publish_options: options }),
  history: (client, _, options) => getEvents(client, uri, options),
  with: (_, caller, options) => caller.with(options).rpc['f']?.(),
  stream: async (_, caller, options) => caller.with(options).stream['f']?.().result,
  entrypoints: (_, caller, options) => caller.entrypoints(options),
  describe: (_, caller, options) => caller.describe('com.example', options),
}

/** Runs an operation at a scripted router; resolves to its error, with all that the router received behind HELLO. */
async function refused(what: string, options: Dict): Promise<{ error: unknown; received: unknown[] }> {
  const router = welcoming()
  const client = clientOf(router)
  const caller = new RpcClient({ router })
  await Promise.all([client.start(), caller.start()])
  const error = await failure(operations[what]!(client, caller, options))
  expect([client.state, client.subscriptions, client.registrations]).toEqual(['ready', [], []])
  const received = router.peers.flatMap((peer) => peer.received.slice(1))
  await Promise.all([client.stop(), caller.stop()])
  return { error, received }
}

const refusals: [what: string, options: Dict, text: string][] = [
  ['publish', { exclude: 'x' }, 'exclude must be a list of ids, got "x"'],
  ['publish', { exclude: null }, 'exclude must be a list of ids, got null'],
  ['publish', { eligible: [1, 2, 0] }, 'eligible must be a list of ids, got 0'],
  ['publish', { exclude_authid: 7 }, 'exclude_authid must be a list of texts, got 7'],
  ['publish', { eligible_authrole: ['user', null] }, 'eligible_authrole must be a list of texts, got null'],
  ['publish', { acknowledge: 1 }, 'acknowledge must be true or false, got 1'],
  ['publish', { retain: 'yes' }, 'retain must be true or false, got "yes"'],
  ['publish', { rkey: 5 }, 'rkey must be text, got 5'],
  ['publish', { ppt_keyid: 5 }, 'ppt_keyid must be text, got 5'],
  ['publish', { ppt_scheme: '' }, 'ppt_scheme must be text that is not empty, got ""'],
  ['publish', { transaction_hash: {} }, 'transaction_hash must be text, got a dictionary'],
  ['publish', { forward_for: { session: 1 } }, 'forward_for must be a list of dictionaries, got a dictionary'],
  ['publish', { waitForReady: 1 }, 'waitForReady must be true or false, got 1'],
  ['call', { disclose_me: 'yes' }, 'disclose_me must be true or false, got "yes"'],
  ['call', { receive_progress: 1 }, 'receive_progress must be true or false, got 1'],
  ['call', { progress: true }, 'progress must be false, got true'],
  ['call', { runmode: 5 }, 'runmode must be text, got 5'],
  ['call', { cancelMode: 'abort' }, 'cancelMode must be skip, kill or killnowait, got "abort"'],
  ['call', { mode: 'abort' }, 'mode must be skip, kill or killnowait, got "abort"'],
  ['call', { timeout: Number.NaN }, 'timeout must be milliseconds, or 0 for no limit, got NaN'],
  ['call', { timeout: -1 }, 'timeout must be milliseconds, or 0 for no limit, got -1'],
  ['call', { timeout: '500' }, 'timeout must be milliseconds, or 0 for no limit, got "500"'],
  ['call', { signal: 5 }, 'signal must be an AbortSignal, got 5'],
  ['call', { onProgress: {} }, 'onProgress must be a function, got a dictionary'],
  ['call', { input: 5 }, 'input must be an iterable, got 5'],
  ['progress', { ppt_cipher: 5 }, 'ppt_cipher must be text, got 5'],
  ['progress', { signal: 5 }, 'signal must be an AbortSignal, got 5'],
  ['progress', { buffer: 0 }, 'buffer must be a number from 1, got 0'],
  ['with', { rkey: 5 }, 'rkey must be text, got 5'],
  ['subscribe', { match: 'suffix' }, 'match must be exact, prefix or wildcard, got "suffix"'],
  ['subscribe', { match: 'constructor' }, 'match must be exact, prefix or wildcard, got "constructor"'],
  ['subscribe', { match: ['exact'] }, 'match must be exact, prefix or wildcard, got a list'],
  ['subscribe', { get_retained: 0 }, 'get_retained must be true or false, got 0'],
  ['subscribe', { nkey: 7 }, 'nkey must be text, got 7'],
  ['subscribe', { timeout: -1 }, 'timeout must be milliseconds, or 0 for no limit, got -1'],
  ['register', { invoke: 'all' }, 'invoke must be single, roundrobin, random, first or last, got "all"'],
  ['register', { concurrency: -1 }, 'concurrency must be a whole number from 0, got -1'],
  ['register', { forward_for: 5 }, 'forward_for must be a list of dictionaries, got 5'],
  ['register', { buffer: Number.NaN }, 'buffer must be a number from 1, got NaN'],
  ['events', { buffer: 0 }, 'buffer must be a number from 1, got 0'],
  ['events', { buffer: Number.NaN }, 'buffer must be a number from 1, got NaN'],
  ['events', { overflow: 'block' }, 'overflow must be oldest, newest or error, got "block"'],
  ['events', { nkey: 7 }, 'nkey must be text, got 7'],
  ['testament', { rkey: 5 }, 'rkey must be text, got 5'],
  ['testament', { eligible: ['x'] }, 'eligible must be a list of ids, got "x"'],
  ['history', { match: 'suffix' }, 'match must be exact, prefix or wildcard, got "suffix"'],
  ['history', { reverse: 1 }, 'reverse must be true or false, got 1'],
  ['history', { limit: -1 }, 'limit must be a whole number from 0, got -1'],
  ['history', { page: Number.NaN }, 'page must be a whole number from 1, got NaN'],
  ['history', { topic: 5 }, 'topic must be text, got 5'],
  [
    'history',
    { from_time: new Date(Number.NaN) },
    'from_time must be a Date or a time as RFC 3339 writes it, got a dictionary',
  ],
  ['history', { after_publication: 0 }, 'after_publication must be the id of a publication, got 0'],
  ['history', { timeout: -1 }, 'timeout must be milliseconds, or 0 for no limit, got -1'],
  ['entrypoints', { rkey: 5 }, 'rkey must be text, got 5'],
]

test.each(refusals)('%s with %j', async (what, options, text) => {
  expect(await refused(what, options)).toEqual({
    error: expect.objectContaining({ uri: USAGE, message: `the option ${text}`, sent: false }),
    received: [],
  })
})

const passthru = ['ppt_scheme', 'ppt_serializer', 'ppt_cipher', 'ppt_keyid']
const calling = [
  ...passthru,
  'receive_progress',
  'disclose_me',
  'runmode',
  'rkey',
  'forward_for',
  'timeout',
  'progress',
]
const publishing = [
  ...passthru,
  'acknowledge',
  'exclude_me',
  'exclude',
  'exclude_authid',
  'exclude_authrole',
  'eligible',
  'eligible_authid',
  'eligible_authrole',
  'disclose_me',
  'retain',
  'rkey',
  'forward_for',
  'transaction_hash',
]
const subscribing = ['match', 'get_retained', 'nkey', 'forward_for']

/** By operation: the options that the specification defines for it. */
const defined: Record<string, string[]> = {
  call: calling,
  callRaw: calling,
  progress: calling,
  with: calling,
  stream: calling,
  entrypoints: calling,
  describe: calling,
  publish: publishing,
  testament: publishing,
  subscribe: subscribing,
  events: subscribing,
  register: ['match', 'invoke', 'disclose_caller', 'forward_timeout', 'concurrency', 'force_reregister', 'forward_for'],
  history: ['match', 'topic'],
}

test('every operation with options is covered', () => {
  expect(Object.keys(defined).sort()).toEqual(Object.keys(operations).sort())
})

for (const [what, options] of Object.entries(defined)) {
  test(`${what}: ${options.join(', ')}`, async () => {
    const router = welcoming()
    const client = clientOf(router)
    const caller = new RpcClient({ router })
    await Promise.all([client.start(), caller.start()])
    for (const option of options) {
      for (const value of [null, () => {}, Symbol('x'), new Uint8Array(1)]) {
        const error = await failure(operations[what]!(client, caller, { [option]: value }))
        expect(error, `${option}: ${String(value)}`).toMatchObject({
          uri: USAGE,
          message: expect.stringMatching(new RegExp(`^the option ${option} must be `)),
        })
      }
      // Counts as absent: nothing fails.
      if (what === 'publish') await operations[what]!(client, caller, { [option]: undefined })
    }
    for (const { received } of router.peers) {
      expect(received.slice(1).filter(([code]) => what !== 'publish' || code !== 16)).toEqual([])
    }
    await Promise.all([client.stop(), caller.stop()])
  })
}

test.each([5, 'exact', null, [], true])('options that are %j are refused', async (options) => {
  for (const what of ['call', 'publish', 'subscribe', 'register', 'events', 'history']) {
    const { error, received } = await refused(what, options as never)
    expect(error, what).toMatchObject({
      uri: USAGE,
      message: expect.stringMatching(/^options must be a dictionary, such as \{ timeout: 500 \}, got /),
    })
    expect(received).toEqual([])
  }
})

test('a scope of testaments is checked', async () => {
  await using world = await openWorld()
  const [client] = await world.join('ann')
  const text = 'the option scope must be destroyed or detached, got "later"'
  const scope = 'later' as never
  expect(await failure(addTestament(client, uri, [], {}, { scope }))).toMatchObject({ uri: USAGE, message: text })
  expect(await failure(flushTestaments(client, { scope }))).toMatchObject({ uri: USAGE, message: text })
})

test('unsubscribe and unregister refuse them, and the handle stays as it is', async () => {
  const router = welcoming(granting)
  const client = clientOf(router)
  await client.start()
  const subscription = await client.subscribe(uri, () => {})
  const registration = await client.register(uri, () => {})
  for (const end of [() => subscription.unsubscribe({ timeout: -1 }), () => registration.unregister(5 as never)]) {
    expect(await failure(end())).toMatchObject({ uri: USAGE })
  }
  expect([subscription.state, registration.state]).toEqual(['active', 'active'])
  await client.stop()
})

test('start refuses them', async () => {
  const client = clientOf(welcoming())
  for (const timeout of [-1, Number.NaN, '5' as never]) {
    expect(await failure(client.start({ timeout }))).toMatchObject({
      uri: USAGE,
      message: expect.stringMatching(/^the option timeout must be milliseconds, or 0 for no limit/),
    })
  }
  expect(client.state).toBe('stopped')
})

describe('a declaration of a class', () => {
  test.each([
    [
      'a decorator of a procedure',
      class extends WampClient {
        @rpc({ forward_for: 5 }) date(): void {}
      },
      'the option forward_for, declared for rpc "date", must be a list of dictionaries, got 5',
    ],
    [
      'a decorator of a topic',
      class extends WampClient {
        @subscribe({ nkey: 7 }) tick(): void {}
      },
      'the option nkey, declared for subscribe "tick", must be text, got 7',
    ],
    [
      'a static procedure',
      class extends WampClient {
        static rpc = { date: { match: 'suffix' } }
        date(): void {}
      },
      'the option match, declared for rpc "date", must be exact, prefix or wildcard, got "suffix"',
    ],
    [
      'a static topic',
      class extends WampClient {
        static subscribe = { tick: { get_retained: 1 } }
        tick(): void {}
      },
      'the option get_retained, declared for subscribe "tick", must be true or false, got 1',
    ],
  ])('%s', async (_, Service, message) => {
    const router = welcoming()
    const service = new Service({ router })
    expect(await failure(service.start())).toMatchObject({ uri: USAGE, message })
    expect([service.state, router.peers]).toEqual(['stopped', []])
  })
})

test("no wrong option ends a client's session or another of its calls", async () => {
  await using world = await openWorld({ link: 'wires' })
  const [client, callee] = await world.join('client', 'callee')
  await callee.register('com.example.add', ([a, b]) => Number(a) + Number(b))
  const lost: unknown[] = []
  client.on('lost', (cause) => lost.push(cause))
  await using caller = new RpcClient({ router: world.connector('caller') })
  for (const [what, options] of Object.entries(defined)) {
    for (const option of options) await failure(operations[what]!(client, caller, { [option]: Symbol('x') }))
  }
  expect(await client.call('com.example.add', [1, 2])).toBe(3)
  expect(lost).toEqual([])
  expect(await failure(eventHistory(client, uri, { match: 'suffix' as never }).next())).toMatchObject({ uri: USAGE })
})
