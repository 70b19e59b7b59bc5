/** Testaments: the request, the publication, and that the router cannot read the payload for the heirs. */

import { describe, expect, onTestFinished, test } from 'vitest'
import {
  addTestament,
  FEATURE_NOT_SUPPORTED,
  flushTestaments,
  type List,
  type PublishOptions,
  passthru,
  RpcClient,
  USAGE,
  WampClient,
  type WampError,
} from 'wampy-ts'
import { e2ee, Keyring } from 'wampy-ts/e2ee'
import { CALL, ERROR, openWorld, RESULT, type World } from 'wampy-ts/testing'
import { keyOf } from '../e2ee/support.ts'
import { failure, joined, joinedTo, leavesNothing, uri, welcoming } from './support.ts'

leavesNothing()

const codecs = () =>
  passthru(e2ee(new Keyring([{ uri: 'a.secret.', match: 'prefix', keys: [{ id: 'k1', key: keyOf(1) }] }])))

/** A client that has joined, with keys by default, and the events of `topics` that it receives. */
async function hearing(world: World, name: string, topics: string[] = [], options: object = { codecs: codecs() }) {
  const client = new WampClient({ name, router: world.connector(name), reconnect: false, ...options })
  const heard: unknown[] = []
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  await client.start()
  for (const topic of topics) {
    await client.subscribe(topic, (args, kwargs, { ppt_scheme }) => heard.push([args, kwargs, ppt_scheme]))
  }
  return { client, heard, errors, [Symbol.asyncDispose]: () => client.stop() }
}

test('testaments are sent as WAMP defines them, a single name as a list', async () => {
  const { client, peer } = await joined(([code, request, , procedure], peer) => {
    if (code === CALL && procedure !== 'wamp.session.none') peer.send([RESULT, request, {}])
  })
  const publish_options: PublishOptions = { exclude_authrole: 'guest', retain: true, timeout: 5 }
  await addTestament(client, 'a.t')
  await addTestament(client, 'a.t', [1], { n: 2 }, { scope: 'detached', publish_options, timeout: 1000 })
  await flushTestaments(client)
  await flushTestaments(client, { scope: 'detached' })
  expect(peer.received.slice(1).map(([, , , ...call]) => call)).toEqual([
    ['wamp.session.add_testament', ['a.t', [], {}], {}],
    [
      'wamp.session.add_testament',
      ['a.t', [1], { n: 2 }],
      { scope: 'detached', publish_options: { exclude_authrole: ['guest'], retain: true } },
    ],
    ['wamp.session.flush_testaments', [], {}],
    ['wamp.session.flush_testaments', [], { scope: 'detached' }],
  ])
})

test('an invalid testament is refused before it is sent; an error names a router without testaments', async () => {
  const { client, peer } = await joined(([code, request], peer) => {
    if (code === CALL) peer.send([ERROR, CALL, request, {}, 'wamp.error.no_such_procedure'])
  })
  const raw = { publish_options: { ppt_scheme: 'x_raw' } }
  expect(await failure(addTestament(client, 'no topic'))).toEqual(uri('wamp.error.invalid_uri'))
  expect(await failure(addTestament(client, 'a.t', 'text' as never))).toEqual(uri(USAGE))
  expect(await failure(addTestament(client, 'a.t', [new Uint8Array(1)], {}, raw))).toEqual(uri(USAGE))
  expect(peer.received).toHaveLength(1)
  for (const asked of [addTestament(client, 'a.t'), flushTestaments(client)]) {
    expect(await failure(asked)).toMatchObject({
      uri: FEATURE_NOT_SUPPORTED,
      message: expect.stringMatching(/^the router has no wamp\.session\.\w+_testaments?$/),
    })
  }
})

describe('testaments with a list for their audience, at a broker that ignores it', () => {
  const publish_options = { eligible_authrole: 'user' }

  test('they are reported by the event warning, and added', async () => {
    const { client, peer } = await joinedTo([], ([code, request], peer) => {
      if (code === CALL) peer.send([RESULT, request, {}])
    })
    const warnings: WampError[] = []
    client.on('warning', (warning) => warnings.push(warning))
    await addTestament(client, 'a.t', [], {}, { publish_options })
    await addTestament(client, 'a.t', [], {}, { publish_options: { retain: true } })
    expect(warnings).toMatchObject([
      { uri: FEATURE_NOT_SUPPORTED, message: expect.stringMatching(/^the broker ignores eligible_authrole .* a\.t /) },
    ])
    expect(peer.received.filter(([code]) => code === CALL)).toHaveLength(2)
  })

  test('with mandatory they fail, also those that wait for a session, and nothing is sent', async () => {
    const options = { publish_options: { ...publish_options, mandatory: true } }
    const { client, peer } = await joinedTo([])
    const router = welcoming(undefined, () => [2, 4711, { roles: { broker: {}, dealer: {} } }])
    const starting = new RpcClient({ router })
    onTestFinished(() => starting.stop())
    for (const it of [client, starting]) {
      expect(await failure(addTestament(it, 'a.t', [], {}, options))).toMatchObject({
        uri: FEATURE_NOT_SUPPORTED,
        sent: false,
      })
    }
    for (const { received } of [peer, ...router.peers]) expect(received).toHaveLength(1)
  })
})

test('testaments are published when the session ends, except those of a flushed scope', async () => {
  await using world = await openWorld()
  const [heir, other] = await world.join('heir', 'other')
  const dying = new WampClient({ router: world.router })
  await dying.start()
  const heard: unknown[] = []
  const lastArrived = new Promise<void>((resolve) => {
    void heir.subscribe('a.last', () => resolve())
  })
  await heir.subscribe('a.will', (args, kwargs) => heard.push(['heir', args, kwargs]))
  await other.subscribe('a.will', (args) => heard.push(['other', args]))
  await addTestament(dying, 'a.will', ['flushed'])
  await flushTestaments(dying)
  await addTestament(dying, 'a.will', ['kept'], { n: 1 }, { publish_options: { eligible: heir.session.id } })
  await addTestament(dying, 'a.will', ['flushed'], {}, { scope: 'detached' })
  await flushTestaments(dying, { scope: 'detached' })
  await addTestament(dying, 'a.last')
  await dying.stop()
  await lastArrived
  expect(heard).toEqual([['heir', ['kept'], { n: 1 }]])
})

test('testaments are encrypted if their topic has a key, by whichever function they are added', async () => {
  await using world = await openWorld({ link: 'wires' })
  await using heir = await hearing(world, 'heir', ['a.secret.will', 'a.open'])
  await using stranger = await hearing(world, 'stranger', ['a.secret.will'], {})
  const dying = await hearing(world, 'dying')
  await addTestament(dying.client, 'a.secret.will', ['hunter2'], { pin: 'hunter2' }, { scope: 'detached' })
  await dying.client.call('wamp.session.add_testament', ['a.secret.will', ['hunter2']], {
    scope: 'detached',
    publish_options: { exclude: [1], _more: true },
  })
  await dying.client.call('wamp.session.add_testament', ['a.secret.will', [], {}], { publish_options: null })
  await addTestament(dying.client, 'a.open', ['in the clear'])
  const options = world.log
    .sent('dying')
    .filter(([code]) => code === CALL)
    .map((message) => (message[5] as { publish_options?: object })?.publish_options)
  const keys = {
    ppt_scheme: 'x_wampy_e2ee',
    ppt_serializer: 'cbor',
    ppt_cipher: 'xchacha20poly1305',
    ppt_keyid: 'k1',
  }
  expect(options).toEqual([keys, { ...keys, exclude: [1], _more: true }, keys, undefined])
  expect(JSON.stringify(world.log.sent('dying'))).not.toContain('hunter2')
  await dying.client.stop()
  await heir.client.call('wamp.session.count')
  await stranger.client.call('wamp.session.count')
  expect(heir.heard).toEqual([
    [['hunter2'], { pin: 'hunter2' }, 'x_wampy_e2ee'],
    [['hunter2'], {}, 'x_wampy_e2ee'],
    [[], {}, 'x_wampy_e2ee'],
    [['in the clear'], {}, undefined],
  ])
  expect(stranger.heard.map((event) => (event as [List])[0])).toEqual(Array(3).fill([expect.any(Uint8Array)]))
  expect([heir.errors, heir.client.dropped.events]).toEqual([[], 0])
})

test('invalid testaments for an encrypted topic are refused, and their payload is never sent unencrypted', async () => {
  await using world = await openWorld({ link: 'wires' })
  await using it = await hearing(world, 'it')
  const add = (args: List, kwargs = {}) => it.client.call('wamp.session.add_testament', args, kwargs)
  for (const refused of [
    add([5, ['hunter3']]),
    add(['a.secret.t', ['hunter2']], { scope: 'later' }),
    add(['a.secret.t', ['hunter2']], { publish_options: 5 }),
    add(['a.secret.t', ['hunter2']], { publish_options: { exclude: 'all' } }),
  ]) {
    expect(await failure(refused)).toMatchObject({ uri: expect.stringMatching(/^wamp\.error\.invalid_/) })
  }
  expect(await failure(add(['a.secret.t', ['hunter2']], { publish_options: { ppt_scheme: 'x_other' } }))).toMatchObject(
    {
      uri: USAGE,
      sent: false,
    },
  )
  expect(JSON.stringify(world.log.sent('it'))).not.toContain('hunter2')
})

test('testaments that must be encrypted are not sent to a router without payload passthru mode', async () => {
  const { client, peer } = await joined(undefined, { codecs: codecs() })
  expect(await failure(addTestament(client, 'a.secret.t', ['hunter2']))).toMatchObject({
    uri: FEATURE_NOT_SUPPORTED,
    sent: false,
  })
  expect(peer.received).toHaveLength(1)
})
