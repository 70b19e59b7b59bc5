/** The caller's identity as a callee receives it, and payloads that only caller and callee can read. */

import { describe, expect, test } from 'vitest'
import { CALL, ERROR, INTERRUPT, INVOCATION, REGISTER, REGISTERED, RESULT, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, violates } from './support.ts'

function pair(
  options: RouterOptions = {},
  registered: object = {},
  procedure = 'com.add',
): { callee: Peer; caller: Peer } {
  const world = open(options)
  const [callee, caller] = [able(world), able(world)]
  register(callee, procedure, registered)
  return { callee, caller }
}

const who = ({ id }: Peer): object => ({
  caller: id,
  caller_authid: expect.any(String),
  caller_authrole: 'anonymous',
})

describe('the caller is disclosed', () => {
  test('if it asks for that, and not otherwise', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, { disclose_me: true }, 'com.add'], [CALL, 2, {}, 'com.add'])
    caller.says([CALL, 3, { disclose_me: false }, 'com.add'])
    expect(callee.take().map(([, , , details]) => details)).toEqual([who(caller), {}, {}])
  })

  test('if the callee asks for that', () => {
    const { callee, caller } = pair({}, { disclose_caller: true })
    caller.says([CALL, 1, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, who(caller)]])
  })

  test('always, if the router is configured so', () => {
    const { callee, caller } = pair({ disclose: 'always' })
    caller.says([CALL, 1, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, who(caller)]])
  })

  test('never, if the router is configured so: a request for it is refused', () => {
    const { callee, caller } = pair({ disclose: 'never' })
    expect(caller.says([CALL, 1, { disclose_me: true }, 'com.add'], [CALL, 2, {}, 'com.add'])).toEqual(
      refused(CALL, 1, 'wamp.error.option_disallowed.disclose_me'),
    )
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
    expect(callee.says([REGISTER, 2, { disclose_caller: true }, 'com.sub'])).toEqual(
      refused(REGISTER, 2, 'wamp.error.option_disallowed.disclose_me'),
    )
  })

  test('per procedure, if disclose is a function', () => {
    const { callee, caller } = pair(
      { disclose: (action, uri) => (action === 'call' && uri.endsWith('.yes') ? 'always' : 'never') },
      { match: 'prefix', disclose_caller: true },
      'com.',
    )
    expect(caller.says([CALL, 1, { disclose_me: true }, 'com.no'], [CALL, 2, {}, 'com.no'])).toEqual(
      refused(CALL, 1, 'wamp.error.option_disallowed.disclose_me'),
    )
    caller.says([CALL, 3, {}, 'com.yes'])
    expect(callee.take().map(([, , , details]) => details)).toEqual([
      { procedure: 'com.no' },
      { procedure: 'com.yes', ...who(caller) },
    ])
  })
})

describe('the trust level', () => {
  test('is sent if the router has a trustlevel function', () => {
    const { callee, caller } = pair({ trustlevel: (action, uri) => (action === 'call' ? uri.length : undefined) })
    caller.says([CALL, 1, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, { trustlevel: 7 }]])
  })

  test('depends on the caller, and 0 is a valid level', () => {
    const { callee, caller } = pair({ trustlevel: (_action, _uri, { authrole }) => (authrole === 'anonymous' ? 0 : 5) })
    caller.says([CALL, 1, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, { trustlevel: 0 }]])
  })

  test.each([undefined, -1, 0.5, Number.NaN])('%j is not a valid level and is not sent', (level) => {
    const { callee, caller } = pair({ trustlevel: () => level })
    caller.says([CALL, 1, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
  })
})

const PPT = { ppt_scheme: 'x_custom', ppt_serializer: 'cbor', ppt_cipher: 'x_none', ppt_keyid: 'k1' }

describe('payload passthru mode', () => {
  test('passes its keys both ways and leaves the payload unchanged', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, { ...PPT, _x: 1 }, 'com.add', ['\0AQI=']])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, PPT, ['\0AQI=']]])
    callee.says([YIELD, 1, { ppt_scheme: 'x_other', _x: 1 }, ['\0AwQ=']])
    expect(caller.take()).toEqual([[RESULT, 1, { ppt_scheme: 'x_other' }, ['\0AwQ=']]])
  })

  test('carries bytes from one serializer to another', () => {
    const world = open()
    const features = { features: { payload_passthru_mode: true } }
    const binary = world.join({ serializer: cbor }, { roles: { caller: features, callee: features } })
    const text = able(world)
    register(text)
    const bytes = { args: [new Uint8Array([1, 2])], kwargs: undefined }
    binary.says(cbor.encode([CALL, 1, { ppt_scheme: 'x_a' }, 'com.add', bytes] as unknown as Message))
    expect(text.take()).toEqual([[INVOCATION, 1, ID, { ppt_scheme: 'x_a' }, ['\0AQI=']]])
    text.says([YIELD, 1, { ppt_scheme: 'x_a' }, ['\0AQI=']])
    expect(binary.take()).toEqual([[RESULT, 1, { ppt_scheme: 'x_a' }, [new Uint8Array([1, 2])]]])
  })

  test('passes its keys in every part of a result', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, { receive_progress: true }, 'com.add'])
    callee.says([YIELD, 1, { progress: true, ppt_scheme: 'x_a' }, ['\0AQI=']], [YIELD, 1, {}])
    expect(caller.take()).toEqual([
      [RESULT, 1, { progress: true, ppt_scheme: 'x_a' }, ['\0AQI=']],
      [RESULT, 1, {}],
    ])
  })

  test('passes its keys in errors', () => {
    const { callee, caller } = pair()
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([ERROR, INVOCATION, 1, PPT, 'com.error', ['\0AQI=']])
    expect(caller.take()).toEqual([[ERROR, CALL, 1, PPT, 'com.error', ['\0AQI=']]])
  })

  test('is off without a scheme', () => {
    const world = open()
    const [callee, caller] = [able(world, 'payload_passthru_mode'), able(world, 'payload_passthru_mode')]
    register(callee)
    caller.says([CALL, 1, { ppt_serializer: 'cbor' }, 'com.add', [1]])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}, [1]]])
    callee.says([YIELD, 1, { ppt_serializer: 'cbor' }, [1]])
    expect(caller.take()).toEqual([[RESULT, 1, {}, [1]]])
  })

  test('is a violation by a caller that did not announce it', () => {
    const world = open()
    const caller = able(world, 'payload_passthru_mode')
    register(able(world))
    expect(caller.says([CALL, 1, PPT, 'com.add', ['']])).toEqual(violates(/CALL\[2\]\.ppt_scheme/))
  })

  test.each([
    ['YIELD', [YIELD, 1, PPT, ['']]],
    ['ERROR', [ERROR, INVOCATION, 1, PPT, 'com.error', ['']]],
  ])('is a violation by a callee that did not announce it, and its callers receive an error: %s', (name, answer) => {
    const world = open()
    const [callee, caller] = [able(world, 'payload_passthru_mode'), able(world)]
    register(callee)
    caller.says([CALL, 1, {}, 'com.add'])
    callee.take()
    expect(callee.says(answer)).toEqual(violates(new RegExp(`^${name}.*ppt_scheme`)))
    expect(caller.take()).toEqual(refused(CALL, 1, 'canceled'))
  })

  test('is refused in a call to a callee that did not announce it', () => {
    const world = open()
    const [callee, caller] = [able(world, 'payload_passthru_mode'), able(world)]
    register(callee)
    expect(caller.says([CALL, 1, PPT, 'com.add', ['']])).toEqual(refused(CALL, 1, 'feature_not_supported'))
    expect(callee.take()).toEqual([])
    expect(world.router.stats().calls).toBe(0)
  })

  test('is an error for a caller that did not announce it, if a result uses it', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world, 'payload_passthru_mode')]
    register(callee)
    caller.says([CALL, 1, {}, 'com.add'], [CALL, 2, { receive_progress: true }, 'com.add'])
    callee.take()
    expect(callee.says([YIELD, 1, PPT, ['']])).toEqual([])
    expect(caller.take()).toEqual(refused(CALL, 1, 'feature_not_supported'))
    // In a part of a result, it ends the call on both sides.
    expect(callee.says([YIELD, 2, { ...PPT, progress: true }, ['']])).toEqual([[INTERRUPT, 2, { mode: 'killnowait' }]])
    expect(caller.take()).toEqual(refused(CALL, 2, 'feature_not_supported'))
    expect(world.router.stats().calls).toBe(0)
  })

  test("is refused in calls to the router's own procedures", () => {
    expect(able(open()).says([CALL, 1, PPT, 'wamp.session.count', ['']])).toEqual(
      refused(CALL, 1, 'feature_not_supported'),
    )
  })
})

test('REGISTER accepts disclose_caller and forward_timeout with their defaults spelled out', () => {
  const peer = able(open())
  expect(peer.says([REGISTER, 1, { disclose_caller: false, forward_timeout: false }, 'com.add'])).toEqual([
    [REGISTERED, 1, ID],
  ])
})
