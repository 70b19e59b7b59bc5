/** The session meta API: current sessions, joins and leaves, and killing. */

import { describe, expect, test, vi } from 'vitest'
import { CALL, ERROR, EVENT, GOODBYE, HELLO, INVOCATION, PUBLISH, REGISTER, RESULT, YIELD } from 'wampy-ts/testing'
import type { AuthMethod } from '../../src/auth/contract.ts'
import type { Router } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { framed } from '../../src/session/framed.ts'
import type { TransportInfo } from '../../src/session/link.ts'
import { ask, ID, open, Peer, ROLES, slowly, subscribe, TEXT, WAYS } from './support.ts'

const details = ({ id, authid }: Peer): object => ({
  session: id,
  authid,
  authrole: 'anonymous',
  authmethod: 'anonymous',
  authprovider: 'static',
})
const gone = [ERROR, 'wamp.error.no_such_session', [TEXT]]
const GOODBYE_TO = (peer: Peer): unknown[] => [GOODBYE, {}, 'wamp.close.goodbye_and_out', peer].slice(0, 3)

describe('on_join and on_leave', () => {
  test.each(Object.entries(WAYS))('are published when a session joins and when it leaves by %s', (_, go) => {
    const { join } = open()
    const watcher = join()
    const [joined, left] = [subscribe(watcher, 'wamp.session.on_join'), subscribe(watcher, 'wamp.session.on_leave')]
    const peer = join()
    expect(watcher.take()).toEqual([[EVENT, joined, ID, {}, [details(peer)]]])
    go(peer)
    expect(watcher.take()).toEqual([[EVENT, left, ID, {}, [peer.id, peer.authid, 'anonymous']]])
  })

  test('are sent after WELCOME, and after all that the session held is removed', () => {
    const { join, connect } = open()
    const watcher = join()
    for (const topic of ['session.on_join', 'session.on_leave', 'subscription.on_delete', 'registration.on_delete']) {
      subscribe(watcher, `wamp.${topic}`)
    }
    const order: string[] = []
    const peer = connect()
    const send = peer.send.bind(peer)
    peer.send = (frame) => {
      order.push('WELCOME')
      send(frame)
    }
    const told = watcher.send.bind(watcher)
    watcher.send = (frame) => {
      order.push('on_join')
      told(frame)
    }
    peer.says([HELLO, 'realm1', { roles: ROLES }])
    expect(order).toEqual(['WELCOME', 'on_join'])
    subscribe(peer, 'com.topic')
    peer.says([REGISTER, 1, {}, 'com.proc'])
    watcher.take()
    peer.lose()
    expect(watcher.take().map(([, , , , args]) => (args as unknown[]).length)).toEqual([2, 2, 3])
  })

  test('are not published for a refused session', () => {
    const { join, connect } = open()
    const watcher = join()
    subscribe(watcher, 'wamp.session.', { match: 'prefix' })
    connect().says([HELLO, 'elsewhere', { roles: ROLES }])
    connect().says([HELLO, 'realm1', { roles: {} }])
    connect().lose()
    expect(watcher.take()).toEqual([])
  })

  test('are limited to one realm', () => {
    const { join } = open({ realms: ['one', 'two'] })
    const watcher = join({}, {}, 'one')
    subscribe(watcher, 'wamp.session.', { match: 'prefix' })
    join({}, {}, 'two').lose()
    expect(watcher.take()).toEqual([])
  })

  test('carry the topic if subscribed to by prefix', () => {
    const { join } = open()
    const watcher = join()
    const id = subscribe(watcher, 'wamp.', { match: 'prefix' })
    const peer = join()
    peer.lose()
    expect(watcher.take()).toEqual([
      [EVENT, id, ID, { topic: 'wamp.session.on_join' }, [details(peer)]],
      [EVENT, id, ID, { topic: 'wamp.session.on_leave' }, [peer.id, peer.authid, 'anonymous']],
    ])
  })

  test.each<[string, string, boolean]>([
    ['prefix', '', true],
    ['prefix', 'wam', true],
    ['prefix', 'wamp', true],
    ['prefix', 'wamp.', true],
    ['prefix', 'wamp.session.on_join', true],
    ['prefix', 'wamp.subscription', false],
    ['prefix', 'wampum', false],
    ['prefix', 'x', false],
    ['wildcard', '..', true],
    ['wildcard', '..on_join', true],
    ['wildcard', '.session.', true],
    ['wildcard', 'wamp..on_join', true],
    ['wildcard', 'wamp.session.on_join', true],
    ['wildcard', '', false],
    ['wildcard', '...', false],
    ['wildcard', 'wamp.', false],
    ['wildcard', 'x..on_join', false],
  ])('a session subscribed to nothing but %s %j receives them: %s', (match, pattern, heard) => {
    const { join } = open()
    const watcher = join()
    subscribe(watcher, pattern, { match })
    watcher.take()
    const peer = join()
    const event = [EVENT, ID, ID, { topic: 'wamp.session.on_join' }, [details(peer)]]
    expect(watcher.take()).toEqual(heard ? [event] : [])
  })

  test.each(['wamp.session.on_join', 'wamp.session.on_leave', 'wamp.anything', 'wamp'])(
    'a client cannot publish to %s',
    (topic) => {
      const { join } = open()
      const [watcher, peer] = [join(), join()]
      subscribe(watcher, topic)
      expect(peer.says([PUBLISH, 1, { acknowledge: true }, topic, [{ session: 1 }]])).toEqual([
        [ERROR, PUBLISH, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
      ])
      expect(peer.says([PUBLISH, 2, {}, topic])).toEqual([])
      expect(watcher.take()).toEqual([])
    },
  )

  test('an event for many watchers is encoded once per kind of link', () => {
    const { join } = open()
    const watchers = [join({ prepares: true }), join({ prepares: true }), join({ prepares: true, serializer: cbor })]
    const others = [join({ prepares: true, serializer: cbor }), join({ prepares: true, serializer: msgpack })]
    for (const peer of [...watchers, ...others]) subscribe(peer, 'wamp.session.on_join')
    const peer = join()
    expect([...watchers, ...others].reduce((sum, { prepared }) => sum + prepared, 0)).toBe(3)
    expect([...watchers, ...others].map((each) => each.take())).toEqual(
      Array(5).fill([[EVENT, ID, ID, {}, [details(peer)]]]),
    )
  })
})

describe('the details of the transport', () => {
  const INFO = {
    type: 'carrier-pigeon',
    protocol: 'wamp.2.json',
    peer: 'loft 7',
    user_agent: 'pigeon/1',
    tls: undefined,
    rings: [1, 2],
  }
  const SHOWN = { type: 'carrier-pigeon', protocol: 'wamp.2.json', rings: [1, 2] }

  /** Joins a realm over a link with these transport details. */
  function joins(router: Router, info?: TransportInfo): Peer {
    const peer = new Peer()
    router.attach(framed(peer, json), info)
    const [[, id, { authid }]] = peer.says([HELLO, 'realm1', { roles: ROLES }]) as [
      [number, number, Peer],
      ...unknown[][],
    ]
    return Object.assign(peer, { id, authid })
  }

  test('include the address and the user agent for a session that may control others, and only in `get`', () => {
    const { router, join } = open({ controlOthers: true })
    const watcher = join()
    const id = subscribe(watcher, 'wamp.session.on_join')
    const peer = joins(router, INFO)
    const { tls: _, ...whole } = INFO
    expect(watcher.take()).toEqual([[EVENT, id, ID, {}, [{ ...details(peer), transport: SHOWN }]]])
    expect(ask(watcher, 'wamp.session.get', [peer.id])).toEqual([RESULT, [{ ...details(peer), transport: whole }]])
    peer.lose()
  })

  test.each([true, false])('include them by a rule for wamp.session.get with control: %j', (control) => {
    const { router, join } = open({
      controlOthers: false,
      authorize: [
        {
          name: 'anonymous',
          permissions: [
            { uri: '', match: 'prefix', allow: { call: true, subscribe: true } },
            { uri: 'wamp.session.get', allow: { call: true }, control },
          ],
        },
      ],
    })
    const watcher = join()
    const peer = joins(router, INFO)
    const { tls: _, ...whole } = INFO
    const transport = control ? whole : SHOWN
    expect(ask(watcher, 'wamp.session.get', [peer.id])).toEqual([RESULT, [{ ...details(peer), transport }]])
    peer.lose()
  })

  test('are published as they were when the link was attached', () => {
    const { router, join } = open({ controlOthers: false })
    const watcher = join()
    const id = subscribe(watcher, 'wamp.session.on_join')
    const info = structuredClone(INFO)
    const peer = joins(router, info)
    info.rings.push(3)
    info.peer = 'elsewhere'
    const told = { ...details(peer), transport: SHOWN }
    expect(watcher.take()).toEqual([[EVENT, id, ID, {}, [told]]])
    expect(ask(watcher, 'wamp.session.get', [peer.id])).toEqual([RESULT, [told]])
    const unknown = joins(router)
    expect(watcher.take()).toEqual([[EVENT, id, ID, {}, [details(unknown)]]])
    for (const each of [peer, unknown]) each.lose()
  })

  test.each<[unknown, string]>([
    [null, 'wampy.error.usage'],
    ['websocket', 'wampy.error.usage'],
    [{ protocol: 'wamp.2.json' }, 'wampy.error.usage'],
    [{ type: 7 }, 'wampy.error.usage'],
    [{ type: 'own', socket: { destroy() {} } }, 'wamp.error.invalid_argument'],
  ])('%j is not valid: the link is refused', (info, uri) => {
    const { router } = open()
    const link = framed(new Peer(), json)
    expect(() => router.attach(link, info as TransportInfo)).toThrow(expect.objectContaining({ uri }) as Error)
    expect(router.links).toBe(0)
  })
})

describe('count, list and get', () => {
  test('include all sessions of the realm, the caller among them', () => {
    const { join } = open({ realms: ['one', 'two'] })
    const [alice, bob] = [join(), join()]
    join({}, {}, 'two')
    expect(ask(alice, 'wamp.session.count')).toEqual([RESULT, [2]])
    expect(ask(alice, 'wamp.session.list')).toEqual([RESULT, [[alice.id, bob.id]]])
    expect(ask(alice, 'wamp.session.get', [bob.id])).toEqual([RESULT, [details(bob)]])
    bob.lose()
    expect(ask(alice, 'wamp.session.count')).toEqual([RESULT, [1]])
    expect(ask(alice, 'wamp.session.get', [bob.id])).toEqual(gone)
  })

  test.each<[unknown[], number]>([
    [[], 2],
    [[null], 2],
    [[['anonymous']], 2],
    [[['admin', 'anonymous']], 2],
    [[['admin']], 0],
    [[[]], 0],
  ])('with roles %j: %i', (args, count) => {
    const { join } = open()
    const [alice] = [join(), join()]
    expect(ask(alice, 'wamp.session.count', args)).toEqual([RESULT, [count]])
    expect((ask(alice, 'wamp.session.list', args)[1] as unknown[][])[0]).toHaveLength(count)
  })

  test('accept any session id up to 2^53', () => {
    const { join } = open()
    const peer = join()
    expect(peer.says('[48,1,{},"wamp.session.get",[9007199254740992]]')).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.no_such_session', ['this realm has no session 9007199254740992']],
    ])
    expect(peer.says('[48,2,{},"wamp.session.get",[9007199254740993]]')).toEqual([
      [ERROR, CALL, 2, {}, 'wamp.error.invalid_argument', [TEXT]],
    ])
  })

  test.each([
    ['CBOR', cbor],
    ['MessagePack', msgpack],
  ])('are answered in %s as well', (_, serializer) => {
    const peer = open().join({ serializer })
    expect(peer.says([CALL, 1, {}, 'wamp.session.get', { args: [peer.id] }])).toEqual([
      [RESULT, 1, {}, [details(peer)]],
    ])
  })

  test('ignore call options that have no effect on them', () => {
    const peer = open().join()
    const options = { disclose_me: true, timeout: 100, receive_progress: true, rkey: 'k', runmode: 'partition' }
    expect(peer.says([CALL, 1, options, 'wamp.session.count'])).toEqual([[RESULT, 1, {}, [1]]])
  })
})

describe('kill', () => {
  test('sends GOODBYE, and removes the session at once', () => {
    const { join, router } = open()
    const [killer, victim] = [join(), join()]
    expect(ask(killer, 'wamp.session.kill', [victim.id])).toEqual([RESULT])
    expect(router.stats().sessions).toBe(1)
    expect(ask(killer, 'wamp.session.kill', [victim.id])).toEqual(gone)
    expect(victim.take()).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
    expect(victim.says([CALL, 1, {}, 'wamp.session.count'])).toEqual([])
    expect(victim.says(GOODBYE_TO(victim))).toEqual([])
    expect(victim.end).toBe('closed')
  })

  test.each<[object, unknown[]]>([
    [{ reason: 'com.example.enough' }, [{}, 'com.example.enough']],
    [{ message: 'go home' }, [{ message: 'go home' }, 'wamp.close.killed']],
    [{ reason: 'com.enough', message: 'go' }, [{ message: 'go' }, 'com.enough']],
    [{ reason: null, message: null }, [{}, 'wamp.close.killed']],
    [{ message: '' }, [{}, 'wamp.close.killed']],
  ])('with %j sends that in the GOODBYE', (kwargs, said) => {
    const { join } = open()
    const [killer, ...victims] = [join(), join(), join(), join(), join()] as [Peer, Peer, Peer, Peer, Peer]
    ask(killer, 'wamp.session.kill', [victims[0]?.id], kwargs)
    ask(killer, 'wamp.session.kill_by_authid', [victims[1]?.authid], kwargs)
    ask(killer, 'wamp.session.kill_by_authrole', ['nobody'], kwargs)
    ask(killer, 'wamp.session.kill_all', [], kwargs)
    expect(victims.map((victim) => victim.take())).toEqual(Array(4).fill([[GOODBYE, ...said]]))
  })

  test('of the caller itself or of an unknown session is refused', () => {
    const { join } = open()
    const killer = join()
    expect(ask(killer, 'wamp.session.kill', [killer.id])).toEqual(gone)
    expect(ask(killer, 'wamp.session.kill', [killer.id === 7 ? 8 : 7])).toEqual(gone)
    expect(killer.end).toBeUndefined()
  })

  test.each(['kill', 'kill_by_authid', 'kill_by_authrole', 'kill_all'])('%s: a reason must be a URI', (how) => {
    const { join, router } = open()
    const [killer, victim] = [join(), join()]
    const args = { kill: [victim.id], kill_by_authid: [victim.authid], kill_by_authrole: ['anonymous'] }[how] ?? []
    for (const reason of ['', 'a..b', 'a b']) {
      expect(ask(killer, `wamp.session.${how}`, args, { reason })).toEqual([ERROR, 'wamp.error.invalid_uri', [TEXT]])
    }
    expect(router.stats().sessions).toBe(2)
  })

  test('by authid returns the sessions, and spares the caller', () => {
    const { join } = open()
    const [killer, victim, other] = [join(), join(), join()]
    expect(ask(killer, 'wamp.session.kill_by_authid', [victim.authid])).toEqual([RESULT, [[victim.id]]])
    expect(ask(killer, 'wamp.session.kill_by_authid', [victim.authid])).toEqual([RESULT, [[]]])
    expect(ask(killer, 'wamp.session.kill_by_authid', [killer.authid])).toEqual([RESULT, [[]]])
    expect([other.take(), killer.end]).toEqual([[], undefined])
  })

  test('by authrole and all return the number, and spare the caller', () => {
    const { join, router } = open()
    const killer = join()
    const first = [join(), join()]
    expect(ask(killer, 'wamp.session.kill_by_authrole', ['admin'])).toEqual([RESULT, [0]])
    expect(ask(killer, 'wamp.session.kill_by_authrole', ['anonymous'])).toEqual([RESULT, [2]])
    const second = [join(), join(), join()]
    expect(ask(killer, 'wamp.session.kill_all')).toEqual([RESULT, [3]])
    expect([...first, ...second].flatMap((peer) => peer.take())).toEqual(
      Array(5).fill([GOODBYE, {}, 'wamp.close.killed']),
    )
    expect(router.stats().sessions).toBe(1)
    expect(ask(killer, 'wamp.session.kill_all')).toEqual([RESULT, [0]])
  })

  test('is published to watchers, except by kill_all', () => {
    const { join } = open()
    const killer = join()
    const id = subscribe(killer, 'wamp.session.on_leave')
    const left = (peer: Peer): unknown[] => [EVENT, id, ID, {}, [peer.id, peer.authid, 'anonymous']]
    const [one, other, third, fourth] = [join(), join(), join(), join()]
    expect(killer.says([CALL, 1, {}, 'wamp.session.kill', [one.id]])).toEqual([left(one), [RESULT, 1, {}]])
    expect(killer.says([CALL, 2, {}, 'wamp.session.kill_by_authid', [other.authid]])).toEqual([
      left(other),
      [RESULT, 2, {}, [[other.id]]],
    ])
    expect(killer.says([CALL, 3, {}, 'wamp.session.kill_all'])).toEqual([[RESULT, 3, {}, [2]]])
    third.lose()
    fourth.lose()
    expect(killer.take()).toEqual([])
    const fifth = join()
    expect(killer.says([CALL, 4, {}, 'wamp.session.kill_by_authrole', ['anonymous']])).toEqual([
      left(fifth),
      [RESULT, 4, {}, [1]],
    ])
  })

  test('a callee during calls: its callers receive an error', () => {
    const { join } = open()
    const [killer, callee] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'com.proc'])
    killer.says([CALL, 1, {}, 'com.proc'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
    expect(killer.says([CALL, 2, {}, 'wamp.session.kill', [callee.id]])).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.canceled', [TEXT]],
      [RESULT, 2, {}],
    ])
    expect(callee.says([YIELD, 1, {}])).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
  })

  test('one another: the first one wins', () => {
    const { join, router } = open()
    const [one, other] = [join(), join()]
    ask(one, 'wamp.session.kill', [other.id])
    expect(other.says([CALL, 1, {}, 'wamp.session.kill', [one.id]])).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
    expect(router.stats().sessions).toBe(1)
  })
})

describe('of very many sessions', () => {
  /** The next messages of a peer, as many as that. */
  async function received(peer: Peer, count: number): Promise<unknown[][]> {
    const messages: unknown[][] = []
    await vi.waitUntil(() => messages.push(...peer.take()) >= count, { interval: 1 })
    return messages
  }

  test.each([
    ['wamp.session.list', []],
    ['wamp.session.list', [['anonymous', 'admin']]],
    ['wamp.session.count', [['anonymous']]],
  ])('%s with %j is answered in several turns, and shows one moment', async (procedure, args) => {
    const { join, router } = open()
    const [caller, other] = [join(), join()]
    const peers = Array.from({ length: 1500 }, () => join())
    const ids = [caller, other, ...peers].map(({ id }) => id)
    slowly()
    expect(caller.says([CALL, 1, {}, procedure, args], [CALL, 2, {}, 'wamp.session.count'])).toEqual([])
    // Others are served meanwhile, and change what is listed.
    expect(ask(other, 'wamp.session.count')).toEqual([RESULT, [ids.length]])
    peers[0]?.lose()
    peers.at(-1)?.lose()
    expect(await received(caller, 2)).toEqual([
      [RESULT, 1, {}, [procedure.endsWith('count') ? ids.length : ids]],
      [RESULT, 2, {}, [ids.length - 2]],
    ])
    expect(router.stats().sessions).toBe(1500)
  })

  const alice: AuthMethod = { name: 'anonymous', authenticate: () => ({ authid: 'alice', authrole: 'guest' }) }

  test.each(['kill_by_authid', 'kill_by_authrole', 'kill_all'])('%s ends them in several turns', async (how) => {
    const { join, router } = open({ auth: [alice] })
    const [killer, other, watcher] = [join(), join(), join()]
    const left = subscribe(watcher, 'wamp.session.on_leave')
    const victims = Array.from({ length: 20 }, () => join())
    slowly()
    const args = { kill_by_authid: ['alice'], kill_by_authrole: ['guest'] }[how] ?? []
    expect(killer.says([CALL, 1, {}, `wamp.session.${how}`, args], [CALL, 2, {}, 'wamp.session.count'])).toEqual([])
    // All are served until it is their turn.
    expect(ask(victims[19] as Peer, 'wamp.session.get', [killer.id])[0]).toBe(RESULT)
    victims[18]?.lose()
    const late = join()
    const killed = [other, watcher, ...victims.filter((_, i) => i !== 18)].map(({ id }) => id)
    expect(await received(killer, 2)).toEqual([
      [RESULT, 1, {}, [how === 'kill_by_authid' ? killed : killed.length]],
      [RESULT, 2, {}, [2]],
    ])
    expect(router.stats().sessions).toBe(2)
    expect(late.end).toBeUndefined()
    for (const victim of [other, victims[0], victims[19]]) {
      expect(victim?.take()).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
    }
    // The one that left by itself is announced in any case.
    expect(watcher.take().filter(([code, id, , , who]) => code === EVENT && id === left && who)).toEqual(
      expect.arrayContaining([[EVENT, left, ID, {}, [victims[18]?.id, 'alice', 'guest']]]),
    )
  })

  test('a message that cannot be sent to one of them is reported', async () => {
    const { join, router } = open()
    const killer = join({ serializer: cbor })
    const victims = [join({ serializer: cbor }), join(), join()]
    slowly()
    killer.says([CALL, 1, {}, 'wamp.session.kill_all', { args: [], kwargs: { message: '\0no JSON' } }] as never)
    expect(await received(killer, 1)).toEqual([[ERROR, CALL, 1, {}, 'wamp.error.invalid_argument', [TEXT]]])
    expect(victims.map(({ end }) => end)).toEqual([undefined, undefined, undefined])
    expect(router.stats().sessions).toBe(3)
  })
})
