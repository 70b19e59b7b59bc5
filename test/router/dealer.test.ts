/** The Basic Profile of RPC, message by message. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { refused, register } from './rpc.ts'
import { ID, open, type Peer, violates, type World } from './support.ts'

/** A callee that serves com.add, and a caller. */
function pair(world: World = open()): { callee: Peer; caller: Peer; registration: number } & World {
  const [callee, caller] = [world.join(), world.join()]
  return { ...world, callee, caller, registration: register(callee) }
}

describe('a call', () => {
  test('reaches the callee as INVOCATION and returns as RESULT', () => {
    const { callee, caller, registration } = pair()
    expect(caller.says([CALL, 7, {}, 'com.add', [1, 2], { exact: true }])).toEqual([])
    expect(callee.take()).toEqual([[INVOCATION, 1, registration, {}, [1, 2], { exact: true }]])
    expect(callee.says([YIELD, 1, {}, [3], { carry: 0 }])).toEqual([])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3], { carry: 0 }]])
  })

  test('that fails returns an ERROR with the type and id of the call', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 7, {}, 'com.add'])
    callee.take()
    expect(callee.says([ERROR, INVOCATION, 1, {}, 'com.example.error', ['no'], { code: 4 }])).toEqual([])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, {}, 'com.example.error', ['no'], { code: 4 }]])
  })

  test.each([[[]], [[[]]], [[[1]]], [[[], {}]], [[[], { a: 1 }]], [[['x'], {}]]])(
    'passes payload %j on unchanged, both ways',
    (data) => {
      const { callee, caller, registration } = pair()
      caller.says([CALL, 1, {}, 'com.add', ...data], [CALL, 2, {}, 'com.add', ...data])
      expect(callee.take()).toEqual([
        [INVOCATION, 1, registration, {}, ...data],
        [INVOCATION, 2, registration, {}, ...data],
      ])
      callee.says([YIELD, 1, {}, ...data], [ERROR, INVOCATION, 2, {}, 'com.error', ...data])
      expect(caller.take()).toEqual([
        [RESULT, 1, {}, ...data],
        [ERROR, CALL, 2, {}, 'com.error', ...data],
      ])
    },
  )

  test('passes the details of the error on', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([ERROR, INVOCATION, 1, { _trace: 'x' }, 'com.error'])
    expect(caller.take()).toEqual([[ERROR, CALL, 1, { _trace: 'x' }, 'com.error']])
  })

  test('may fail with an error of the wamp namespace', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.invalid_argument'])
    expect(caller.take()).toEqual([[ERROR, CALL, 1, {}, 'wamp.error.invalid_argument']])
  })

  test('that fails with an invalid URI is still answered', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([ERROR, INVOCATION, 1, {}, 'went wrong', ['x']])
    expect(callee.end).toBeUndefined()
    expect(caller.take()).toEqual(refused(CALL, 1, 'invalid_uri', expect.stringContaining('"went wrong"')))
  })

  test('may be answered out of order', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 10, {}, 'com.add', ['a']], [CALL, 11, {}, 'com.add', ['b']], [CALL, 12, {}, 'com.add', ['c']])
    callee.says([YIELD, 2, {}, ['B']], [YIELD, 3, {}, ['C']], [YIELD, 1, {}, ['A']])
    expect(caller.take()).toEqual([
      [RESULT, 11, {}, ['B']],
      [RESULT, 12, {}, ['C']],
      [RESULT, 10, {}, ['A']],
    ])
  })

  test("to the caller's own procedure works", () => {
    const peer = open().join()
    const registration = register(peer)
    expect(peer.says([CALL, 2, {}, 'com.add', [1]])).toEqual([[INVOCATION, 1, registration, {}, [1]]])
    expect(peer.says([YIELD, 1, {}, [2]])).toEqual([[RESULT, 2, {}, [2]]])
  })

  test('to an unregistered procedure is refused, and the error names it', () => {
    expect(
      open()
        .join()
        .says([CALL, 1, {}, 'com.nothing', [1]]),
    ).toEqual(refused(CALL, 1, 'no_such_procedure', expect.stringContaining('"com.nothing"')))
  })

  test('to an unknown procedure under wamp. is refused', () => {
    expect(open().join().says([CALL, 1, {}, 'wamp.session.nothing'])).toEqual(refused(CALL, 1, 'no_such_procedure'))
  })

  test.each(['', 'a..b', 'com.', 'a b', 'a#'])('to %j is refused', (procedure) => {
    expect(open().join().says([CALL, 1, {}, procedure])).toEqual(refused(CALL, 1, 'invalid_uri'))
  })

  test('ignores options of features that the callee did not announce or the router does not have', () => {
    const { callee, caller, registration } = pair()
    const options = { receive_progress: true, timeout: 0, runmode: 'partition', rkey: 'k', _x: 1 }
    caller.says([CALL, 1, options, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, registration, {}]])
  })

  test('under the id of a pending call is a violation; an answered id is free again', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 5, {}, 'com.add'])
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 5, {}]])
    expect(caller.says([CALL, 5, {}, 'com.add'])).toEqual([])
    expect(caller.says([CALL, 5, {}, 'com.add'])).toEqual(violates(/CALL\[1\] is 5/))
  })

  test('may have any free id up to 2^53, and two callers may use the same id', () => {
    const { callee, caller, join } = pair()
    const other = join()
    caller.says('[48,9007199254740992,{},"com.add"]', [CALL, 3, {}, 'com.add'])
    other.says([CALL, 3, {}, 'com.add'])
    callee.says([YIELD, 3, {}, ['other']], [YIELD, 2, {}, ['three']], [YIELD, 1, {}, ['great']])
    expect(caller.take()).toEqual([
      [RESULT, 3, {}, ['three']],
      [RESULT, 2 ** 53, {}, ['great']],
    ])
    expect(other.take()).toEqual([[RESULT, 3, {}, ['other']]])
  })
})

describe('invocations', () => {
  test('are numbered 1, 2, 3 per callee, across callers and procedures', () => {
    const { callee, caller, join } = pair()
    const [second, other] = [join(), join()]
    register(callee, 'com.sub')
    register(second, 'com.mul')
    caller.says([CALL, 100, {}, 'com.add'], [CALL, 200, {}, 'com.mul'])
    other.says([CALL, 300, {}, 'com.sub'], [CALL, 400, {}, 'com.nothing'], [CALL, 500, {}, 'com.add'])
    expect(callee.take().map(([code, id]) => [code, id])).toEqual([
      [INVOCATION, 1],
      [INVOCATION, 2],
      [INVOCATION, 3],
    ])
    expect(second.take().map(([code, id]) => [code, id])).toEqual([[INVOCATION, 1]])
  })

  test('of one caller reach a callee in the order of the calls, across procedures', () => {
    const { callee, caller } = pair()
    register(callee, 'com.sub')
    caller.says(...Array.from({ length: 50 }, (_, i) => [CALL, i + 1, {}, i % 3 ? 'com.add' : 'com.sub', [i]]))
    expect(callee.take().map(([, , , , args]) => (args as number[])[0])).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    )
  })

  test.each([
    ['YIELD', [YIELD, 2, {}]],
    ['ERROR', [ERROR, INVOCATION, 2, {}, 'com.error']],
  ])('with an unknown id cannot be answered: %s is a violation', (name, message) => {
    const { callee, caller, router } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.take()
    expect(callee.says(message)).toEqual(violates(new RegExp(`^${name} answers invocation 2; the last one was 1`)))
    expect(caller.take()).toEqual(refused(CALL, 1, 'canceled'))
    expect(router.stats()).toMatchObject({ registrations: 0, calls: 0, dropped: { late: 0 } })
  })

  test.each([
    ['YIELD', [YIELD, 1, {}]],
    ['ERROR', [ERROR, INVOCATION, 1, {}, 'com.error']],
  ])('are answered once: a second %s is dropped and counted', (_, message) => {
    const { callee, caller, router } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.take()
    expect(callee.says([YIELD, 1, {}], message)).toEqual([])
    expect(callee.end).toBeUndefined()
    expect(caller.take()).toEqual([[RESULT, 1, {}]])
    expect(router.stats().dropped.late).toBe(1)
  })

  test('of another callee cannot be answered', () => {
    const { caller, join } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    expect(join().says([YIELD, 1, {}])).toEqual(violates(/the last one was 0/))
    expect(caller.take()).toEqual([])
  })

  test('without receive_progress drop and count partial results, and the call continues', () => {
    const { callee, caller, router } = pair()
    caller.says([CALL, 1, { receive_progress: true }, 'com.add'])
    callee.says([YIELD, 1, { progress: true }, [1]], [YIELD, 1, { progress: true }, [2]])
    expect(caller.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 1, dropped: { partial: 2 } })
    callee.says([YIELD, 1, { progress: false }, [3]])
    expect(caller.take()).toEqual([[RESULT, 1, {}, [3]]])
  })
})

describe('registering', () => {
  test('a taken procedure is refused, for the same session and for others', () => {
    const { callee, caller } = pair()
    expect(caller.says([REGISTER, 1, {}, 'com.add'])).toEqual(refused(REGISTER, 1, 'procedure_already_exists'))
    expect(callee.says([REGISTER, 2, { invoke: 'single' }, 'com.add'])).toEqual(
      refused(REGISTER, 2, 'procedure_already_exists'),
    )
  })

  test.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a#', 'wamp', 'wamp.session.count', 'wamp.error.canceled'])(
    '%j is refused',
    (procedure) => {
      expect(open().join().says([REGISTER, 1, {}, procedure])).toEqual(refused(REGISTER, 1, 'invalid_uri'))
    },
  )

  test.each(['getTodaysDate', 'com.Example.add', 'wampum', 'constructor', '__proto__', 'a.日本'])(
    '%j works',
    (procedure) => {
      const { callee, caller } = pair()
      const registration = register(callee, procedure)
      caller.says([CALL, 1, {}, procedure])
      expect(callee.take()).toEqual([[INVOCATION, 1, registration, {}]])
    },
  )

  test('with defaults spelled out, and with unknown options, works', () => {
    const options = {
      match: 'exact',
      invoke: 'single',
      concurrency: 0,
      force_reregister: false,
      forward_timeout: true,
      _x: 1,
    }
    expect(open().join().says([REGISTER, 1, options, 'com.add'])).toEqual([[REGISTERED, 1, ID]])
  })
})

describe('unregistering', () => {
  test('frees the procedure for other callees', () => {
    const { callee, caller, registration } = pair()
    expect(callee.says([UNREGISTER, 2, registration])).toEqual([[UNREGISTERED, 2]])
    expect(caller.says([CALL, 1, {}, 'com.add'])).toEqual(refused(CALL, 1, 'no_such_procedure'))
    expect(register(caller)).not.toBe(registration)
  })

  test('accepts the options that some clients send', () => {
    const { callee, registration } = pair()
    expect(callee.says([UNREGISTER, 2, registration, {}])).toEqual([[UNREGISTERED, 2]])
  })

  test('twice, or of an unknown registration or one of another session, is refused', () => {
    const { callee, caller, registration } = pair()
    expect(caller.says([UNREGISTER, 1, registration])).toEqual(refused(UNREGISTER, 1, 'no_such_registration'))
    expect(caller.says([UNREGISTER, 2, 7])).toEqual(refused(UNREGISTER, 2, 'no_such_registration'))
    callee.says([UNREGISTER, 2, registration])
    expect(callee.says([UNREGISTER, 3, registration])).toEqual(refused(UNREGISTER, 3, 'no_such_registration'))
  })

  test('does not cancel running calls', () => {
    const { callee, caller, registration } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([UNREGISTER, 2, registration], [YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 1, {}, [3]]])
  })
})

test('REGISTERED is sent before the first INVOCATION', () => {
  const peer = open().join()
  expect(peer.says([REGISTER, 1, {}, 'a'], [CALL, 2, {}, 'a']).map(([code]) => code)).toEqual([REGISTERED, INVOCATION])
})
