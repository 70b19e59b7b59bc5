/** A router that breaks the protocol, in each state: the client sends ABORT, or ignores a legal race. */

import { describe, expect, test } from 'vitest'
import { PROTOCOL_VIOLATION, type WampError } from 'wampy-ts'
import {
  ABORT,
  CALL,
  GOODBYE,
  HELLO,
  REGISTER,
  RESULT,
  SUBSCRIBE,
  scriptedRouter,
  type WireMessage,
} from 'wampy-ts/testing'
import { clientOf, failure, granting, joined, leavesNothing, next, until, uri, WELCOMED } from './support.ts'

leavesNothing()

/** Frames that no peer may send in any state. */
const MALFORMED: Record<string, string | Uint8Array> = {
  'nothing at all': '',
  'text that is not JSON': 'hello',
  'half of a message': '[50,1,{}',
  'two messages': '[50,1,{}][50,2,{}]',
  'an object': '{"50":1}',
  'an empty list': '[]',
  'a code that is none': '[99,1,{}]',
  'a code that is text': '["50",1,{}]',
  'a code with a fraction': '[50.5,1,{}]',
  'a message that is too short': '[50,1]',
  'a message that is too long': '[50,1,{},[],{},1]',
  'an id of 0': '[50,0,{}]',
  'an id below 0': '[50,-1,{}]',
  'an id above 2^53': '[50,9007199254740994,{}]',
  'an id that is text': '[50,"1",{}]',
  'details that are a list': '[50,1,[]]',
  'details that are null': '[50,1,null]',
  'args that are a dictionary': '[50,1,{},{}]',
  'kwargs that are a list': '[50,1,{},[],[]]',
  'an ERROR whose type is not a request': '[8,50,1,{},"a.b"]',
  'a binary frame': new Uint8Array([0x93, 50, 1, 0x80]),
}

/** Messages that are well-formed and yet illegal before WELCOME. */
const EARLY: WireMessage[] = [
  [GOODBYE, {}, 'wamp.close.normal'],
  [8, CALL, 1, {}, 'a.b'],
  [17, 1, 1],
  [33, 1, 1],
  [35, 1],
  [36, 1, 1, {}],
  [50, 1, {}],
  [65, 1, 1],
  [67, 1],
  [68, 1, 1, {}],
  [69, 1, {}],
  [HELLO, 'realm1', { roles: {} }],
  [CALL, 1, {}, 'a.b'],
  [4, 'ticket', {}],
]

/** Messages that are well-formed and yet illegal in a session without pending requests. */
const WRONG: Record<string, WireMessage> = {
  'a second WELCOME': WELCOMED,
  'a CHALLENGE': [4, 'ticket', {}],
  'a HELLO': [HELLO, 'realm1', { roles: {} }],
  'an AUTHENTICATE': [5, 'signature', {}],
  'a CALL': [CALL, 1, {}, 'a.b'],
  'a SUBSCRIBE': [SUBSCRIBE, 1, {}, 'a.b'],
  'a REGISTER': [REGISTER, 1, {}, 'a.b'],
  'a PUBLISH': [16, 1, {}, 'a.b'],
  'a YIELD': [70, 1, {}],
  'a CANCEL': [49, 1, {}],
  'SUBSCRIBED for a request that was not made': [33, 1, 1],
  'UNSUBSCRIBED for a request that was not made': [35, 1],
  'REGISTERED for a request that was not made': [65, 1, 1],
  'UNREGISTERED for a request that was not made': [67, 1],
  'PUBLISHED for a request that was not made': [17, 1, 1],
  'ERROR for an INVOCATION': [8, 68, 1, {}, 'a.b'],
}

/** Keys with a fixed type, given with another type. */
const MISTYPED: WireMessage[] = [
  [36, 1, 1, { publisher: 'hello' }],
  [36, 1, 1, { publisher_authid: 123 }],
  [36, 1, 1, { publisher_authrole: 123 }],
  [36, 1, 1, { topic: 123 }],
  [36, 1, 1, { retained: 'hello' }],
  [36, 1, 1, { transaction_hash: 123 }],
  [36, 1, 1, { x_acknowledged_delivery: 'hello' }],
  [36, 1, 1, { forward_for: 'hello' }],
  [36, 1, 1, { ppt_scheme: true }],
  [68, 1, 1, { procedure: 5 }],
  [68, 1, 1, { timeout: '5' }],
  [68, 1, 1, { caller: [1] }],
  [68, 1, 1, { receive_progress: 1 }],
  [69, 1, { mode: 1 }],
  [RESULT, 1, { progress: 1 }],
]

const aborted = (message: readonly unknown[] | undefined) => {
  expect(message).toEqual([ABORT, { message: expect.any(String) }, PROTOCOL_VIOLATION])
}

describe('before WELCOME', () => {
  const refuse = async (send: (peer: ReturnType<typeof scriptedRouter>['peers'][0]) => void) => {
    const router = scriptedRouter(([code], peer) => code === HELLO && send(peer))
    const client = clientOf(router, { reconnect: false })
    expect(await failure(client.start())).toEqual(uri(PROTOCOL_VIOLATION))
    await router.peers[0]?.closed
    aborted(router.peers[0]?.received[1])
    expect(router.peers[0]?.received).toHaveLength(2)
    expect(client.state).toBe('stopped')
  }

  for (const [name, frame] of Object.entries(MALFORMED)) {
    test(`${name} is a violation`, () => refuse((peer) => peer.raw(frame)))
  }
  for (const message of EARLY)
    test(`${JSON.stringify(message)} is a violation`, () => refuse((peer) => peer.send(message)))

  test('a WELCOME without roles is a violation', () => refuse((peer) => peer.send([2, 1, {}])))
  test('a WELCOME whose roles are a list is a violation', () => refuse((peer) => peer.send([2, 1, { roles: [] }])))
  test('a WELCOME with a session of 0 is a violation', () => refuse((peer) => peer.send([2, 0, { roles: {} }])))

  test('messages after a violation are ignored', async () => {
    const router = scriptedRouter(([code], peer) => code === HELLO && peer.send([99], WELCOMED))
    const client = clientOf(router, { reconnect: false })
    expect(await failure(client.start())).toEqual(uri(PROTOCOL_VIOLATION))
    expect(() => client.session).toThrow()
  })

  test('an ABORT is reported with its reason and text, and is not answered', async () => {
    for (const [details, payload, message] of [
      [{ message: 'reported' }, [], 'reported'],
      [{}, [['first']], 'first'],
      [{}, [], 'com.example.reason'],
      [{ message: 5 }, [[6]], 'com.example.reason'],
    ] as const) {
      const router = scriptedRouter((_, peer) => peer.send([ABORT, details, 'com.example.reason', ...payload]))
      const client = clientOf(router, { reconnect: false })
      expect(await failure(client.start())).toMatchObject({ uri: 'com.example.reason', message })
      await router.peers[0]?.closed
      expect(router.peers[0]?.received).toHaveLength(1)
    }
  })

  test('a closed connection is reported with its code and reason', async () => {
    const router = scriptedRouter((_, peer) => peer.close(4321, 'go away'))
    const client = clientOf(router, { reconnect: false })
    await expect(client.start()).rejects.toMatchObject({
      uri: 'wampy.error.connection_lost',
      message: 'the connection was closed (4321 go away)',
    })
  })
})

describe('in a session', () => {
  const lost = async (send: (peer: Awaited<ReturnType<typeof joined>>['peer']) => void) => {
    const { client, peer } = await joined(granting)
    const call = failure(client.call('com.example.f'))
    const reported = next(client, 'lost')
    await until(() => peer.received.length === 2)
    send(peer)
    const [cause] = await reported
    expect(cause).toEqual(uri(PROTOCOL_VIOLATION))
    expect(await call).toMatchObject({
      uri: 'wampy.error.connection_lost',
      sent: true,
      cause: { uri: PROTOCOL_VIOLATION },
    })
    await peer.closed
    aborted(peer.received[2])
    return cause
  }

  for (const [name, frame] of Object.entries(MALFORMED)) {
    test(`${name} is a violation, and ends it`, async () => {
      await lost((peer) => peer.raw(frame))
    })
  }
  for (const [name, message] of Object.entries(WRONG)) {
    // The id of the pending call belongs to another kind of request.
    test(`${name} is a violation, and ends it`, async () => {
      await lost((peer) => peer.send(message))
    })
  }

  for (const message of MISTYPED) {
    test(`${JSON.stringify(message)} is a violation, and ends it`, async () => {
      await lost((peer) => peer.send(message))
    })
  }

  test('the violation names the expected and the received value', async () => {
    expect(((await lost((peer) => peer.send([36, 1, 1, { topic: 5 }]))) as WampError).message).toBe(
      'EVENT[3].topic must be text, got 5',
    )
    expect(((await lost((peer) => peer.raw('[50,"7",{}]'))) as WampError).message).toBe(
      'RESULT[1] must be an id, got "7"',
    )
    expect(((await lost((peer) => peer.send([33, 9, 1]))) as WampError).message).toMatch(/SUBSCRIBED for request 9/)
    expect(((await lost((peer) => peer.send(WELCOMED))) as WampError).message).toMatch(/WELCOME is not legal now/)
  })

  for (const [name, message] of Object.entries({
    'a RESULT for an unknown call': [RESULT, 99, {}, [1]],
    'an ERROR for an unknown call': [8, CALL, 99, {}, 'a.b'],
    'an ERROR for an unknown SUBSCRIBE': [8, SUBSCRIBE, 99, {}, 'a.b'],
    'an ERROR that names another kind of request': [8, SUBSCRIBE, 1, {}, 'a.b'],
    'an EVENT of an unknown subscription': [36, 99, 1, {}],
    'an INVOCATION of an unknown registration': [68, 1, 99, {}],
    'an unknown key in details': [RESULT, 99, { future: { feature: true } }],
    'a known key with null': [36, 99, 1, { topic: null, publisher: null, constructor: 1 }],
    'the greatest id': [RESULT, 2 ** 53, {}],
  } as Record<string, WireMessage>)) {
    test(`${name} is ignored`, async () => {
      const { client, peer } = await joined()
      const call = client.call('com.example.f')
      await until(() => peer.received.length === 2)
      peer.send(message, [RESULT, 1, {}, ['still here']])
      expect(await call).toBe('still here')
      expect(client.state).toBe('ready')
    })
  }

  test('a timeout beyond 2^53 counts as very long', async () => {
    const { client, peer } = await joined(granting)
    const { id } = await client.register('a.b', () => 'done')
    peer.raw(`[68,1,${id},{"timeout":18446744073709551615}]`)
    await until(() => peer.received.length === 3)
    expect(peer.received[2]).toEqual([70, 1, {}, ['done']])
  })

  test('a message for a role that the client does not play is a violation', async () => {
    const { client, peer } = await joined(granting, { roles: ['caller'] })
    const reported = next(client, 'lost')
    peer.send([68, 1, 1, {}])
    expect((await reported)[0]).toMatchObject({ uri: PROTOCOL_VIOLATION, message: 'INVOCATION is not legal now' })
  })

  test("after the client's own GOODBYE all messages but the answer are ignored", async () => {
    const router = scriptedRouter(([code], peer) => {
      if (code === HELLO) peer.send(WELCOMED)
      if (code === GOODBYE) {
        peer.send([33, 5, 5], [ABORT, {}, 'com.example.no'], [68, 1, 1, {}], WELCOMED)
        peer.send([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
      }
    })
    const client = clientOf(router)
    await client.start()
    await client.stop()
    await router.peers[0]?.closed
    expect(router.peers[0]?.received.map(([code]) => code)).toEqual([HELLO, GOODBYE])
  })

  test("a GOODBYE that crosses the client's own counts as the answer, and is not answered", async () => {
    const { client, peer } = await joined()
    const done = client.stop()
    peer.send([GOODBYE, {}, 'wamp.close.system_shutdown'])
    await done
    await peer.closed
    expect(peer.received.filter(([code]) => code === GOODBYE)).toHaveLength(1)
  })
})

test('each session that ends by a violation of the router counts as a failed attempt', async () => {
  const router = scriptedRouter(([code], peer) => code === HELLO && peer.send(WELCOMED, [99]))
  const client = clientOf(router, { reconnect: (attempt) => (attempt < 4 ? 0 : false) })
  const attempts: number[] = []
  client.on('retry', ({ attempt }) => attempts.push(attempt))
  const stopped = next(client, 'stopped')
  await client.start().catch(() => {})
  await stopped
  expect(attempts).toEqual([1, 2, 3])
})

test('the error of a session that its router closed has the code and the reason', async () => {
  const { client, peer } = await joined()
  const lost = next(client, 'lost')
  const call = failure(client.call('a.b'))
  peer.close(1009, 'a message may have at most 1000 bytes, got 1001')
  const error = {
    uri: 'wampy.error.connection_lost',
    message: 'the connection was closed (1009 a message may have at most 1000 bytes, got 1001)',
  }
  expect((await lost)[0]).toMatchObject(error)
  expect(await call).toMatchObject({ ...error, sent: true })
})
