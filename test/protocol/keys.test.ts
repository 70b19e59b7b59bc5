/** Known keys of options and details: right types are accepted, wrong ones are violations, unknown keys are ignored. */

import { expect, test } from 'vitest'
import * as codes from '../../src/protocol/codes.ts'
import { checkDetails, checkKeys } from '../../src/protocol/keys.ts'
import type { Message } from '../../src/protocol/messages.ts'
import { layoutOf } from '../../src/protocol/validate.ts'

const flags = { right: [true, false], wrong: [1, 0, 'true', null, {}] }
const texts = { right: ['', 'text'], wrong: [1, null, ['text'], {}] }
const named = { right: ['x_scheme'], wrong: ['', 1, null, true] }
const counts = {
  right: [0, 1, 5000, 2 ** 53, 1e300, 2n ** 63n],
  wrong: [-1, 1.5, -1n, Number.NaN, 1 / 0, '5', null, true],
}
const dicts = { right: [{}, { a: 1 }], wrong: [[], 'text', null, 1] }
const lists = { right: [[], ['a', 'b']], wrong: ['a', [1], [null], {}, null] }
const ids = { right: [[], [1, 2 ** 53]], wrong: [1, [0], ['1'], [1.5], null] }
const forwarded = { right: [[], [{ session: 1 }]], wrong: [{}, [1], 'x', [[]]] }
const matches = { right: ['exact', 'prefix', 'wildcard'], wrong: ['suffix', '', 1, null] }
const invokes = { right: ['single', 'roundrobin', 'random', 'first', 'last'], wrong: ['all', 1, null] }
const modes = { right: ['skip', 'kill', 'killnowait'], wrong: ['stop', 1, null] }
const roles = {
  right: [{}, { caller: {} }, { caller: { features: {} }, _odd: { features: { a: true } } }],
  wrong: [[], 'caller', { caller: 1 }, { caller: { features: [] } }, { caller: null }],
}

const passthru = { ppt_scheme: named, ppt_serializer: texts, ppt_cipher: texts, ppt_keyid: texts }

const known: [code: number, keys: Record<string, { right: unknown[]; wrong: unknown[] }>][] = [
  [codes.HELLO, { roles, agent: texts, authmethods: lists, authid: texts, authextra: dicts }],
  [codes.ABORT, { message: texts }],
  [codes.GOODBYE, { message: texts }],
  [codes.SUBSCRIBE, { match: matches, get_retained: flags, nkey: texts, forward_for: forwarded }],
  [codes.UNSUBSCRIBE, { forward_for: forwarded }],
  [
    codes.PUBLISH,
    {
      ...passthru,
      acknowledge: flags,
      exclude_me: flags,
      exclude: ids,
      exclude_authid: lists,
      exclude_authrole: lists,
      eligible: ids,
      eligible_authid: lists,
      eligible_authrole: lists,
      disclose_me: flags,
      retain: flags,
      rkey: texts,
      forward_for: forwarded,
    },
  ],
  [
    codes.REGISTER,
    {
      match: matches,
      invoke: invokes,
      disclose_caller: flags,
      forward_timeout: flags,
      concurrency: counts,
      force_reregister: flags,
      forward_for: forwarded,
    },
  ],
  [codes.UNREGISTER, { forward_for: forwarded }],
  [
    codes.CALL,
    { ...passthru, receive_progress: flags, progress: flags, timeout: counts, disclose_me: flags, runmode: texts },
  ],
  [codes.CANCEL, { mode: modes, forward_for: forwarded }],
  [codes.YIELD, { ...passthru, progress: flags }],
  [codes.ERROR, { ...passthru }],
]

/** A message with this dictionary, and its place in the message. */
function withDict(code: number, dict: object): [message: Message, place: number] {
  const { kinds } = layoutOf(code)
  const place = kinds.indexOf(2) + 1
  return [[code, ...kinds.map((kind) => (kind === 2 ? dict : 1))] as unknown as Message, place]
}

for (const [code, keys] of known) {
  const { name } = layoutOf(code)
  test(`${name}: ${Object.keys(keys).join(', ')}`, () => {
    for (const [key, { right, wrong }] of Object.entries(keys)) {
      for (const value of right) checkKeys(withDict(code, { [key]: value })[0])
      for (const value of wrong) {
        const [message, place] = withDict(code, { [key]: value })
        expect(() => checkKeys(message), `${key}: ${String(value)}`).toThrow(
          expect.objectContaining({
            uri: 'wamp.error.protocol_violation',
            message: expect.stringMatching(new RegExp(`^${name}\\[${place}\\]\\.${key} must be `)),
          }) as never,
        )
      }
    }
  })
}

test('unknown keys are accepted, including those that objects inherit', () => {
  for (const [code] of known) {
    checkKeys(withDict(code, { _custom: [1], constructor: 5, toString: 'x', hasOwnProperty: null })[0])
  }
})

test('a client checks only the types of details, and null counts as absent', () => {
  const details = { publisher: 0, trustlevel: -1.5, timeout: 2n ** 70n, topic: '', mode: 'abort', forward_for: [1] }
  for (const given of [details, Object.fromEntries(Object.keys(details).map((key) => [key, null]))]) {
    checkDetails([codes.EVENT, 1, 1, given] as unknown as Message)
    checkDetails([codes.INVOCATION, 1, 1, given] as unknown as Message)
    checkDetails([codes.RESULT, 1, given] as unknown as Message)
  }
  for (const [key, value] of Object.entries({
    publisher: '5',
    trustlevel: true,
    topic: 5,
    mode: ['kill'],
    forward_for: {},
    progress: 1,
    authextra: [],
  })) {
    for (const [message, place] of [
      [[codes.EVENT, 1, 1, { [key]: value }], 'EVENT[3]'],
      [[codes.INTERRUPT, 1, { [key]: value }], 'INTERRUPT[2]'],
      [[codes.ERROR, codes.CALL, 1, { [key]: value }, 'a.b'], 'ERROR[3]'],
      [[codes.WELCOME, 1, { [key]: value }], 'WELCOME[2]'],
    ] as const) {
      expect(() => checkDetails(message as unknown as Message)).toThrow(
        expect.objectContaining({
          uri: 'wamp.error.protocol_violation',
          message: expect.stringContaining(`${place}.${key} must be `),
        }) as never,
      )
    }
  }
  // A violation ends the session.
  checkDetails([codes.ABORT, { message: 5 }, 'a.b'] as unknown as Message)
  checkDetails([codes.GOODBYE, { message: 5 }, 'a.b'] as unknown as Message)
})

test('a message without such a dictionary is accepted', () => {
  checkKeys([codes.SUBSCRIBED, 1, 1])
  checkKeys([codes.UNSUBSCRIBE, 1, 1])
  checkKeys([codes.PUBLISHED, 1, 1])
})
