/** The one error class, and its conversion to and from messages. */

import { describe, expect, test } from 'vitest'
import { errorOf, thrown, violation, WampError } from '../../src/protocol/error.ts'

describe('a WampError', () => {
  test('has a URI, args and kwargs; its message is the first text in args, otherwise the URI', () => {
    expect(new WampError('a.b')).toMatchObject({ message: 'a.b', uri: 'a.b', args: [], kwargs: {}, details: {} })
    expect(new WampError('a.b', ['why', 5], { k: 1 })).toMatchObject({
      message: 'why',
      args: ['why', 5],
      kwargs: { k: 1 },
    })
    expect(new WampError('a.b', [5, 'why']).message).toBe('a.b')
    expect(new WampError('a.b', ['']).message).toBe('')
  })

  test('is an Error with a name, a stack and a cause', () => {
    const cause = new Error('because')
    const error = new WampError('a.b', ['why'], {}, { cause, sent: false, details: { d: 1 } })
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('WampError: why')
    expect(error.stack).toContain('error.test.ts')
    expect(error).toMatchObject({ cause, sent: false, details: { d: 1 } })
    expect('cause' in new WampError('a.b')).toBe(false)
  })

  test('is recognized by a brand that is not enumerable', () => {
    const error = new WampError('a.b')
    expect(WampError.is(error)).toBe(true)
    expect(Object.keys(error).sort()).toEqual(['args', 'details', 'kwargs', 'name', 'sent', 'uri'])
    for (const other of [new Error('a.b'), { uri: 'a.b' }, null, undefined, 'a.b', 5])
      expect(WampError.is(other)).toBe(false)
  })
})

test('an ERROR message becomes an error with all of its fields', () => {
  expect(errorOf([8, 48, 1, { d: 1 }, 'a.b', { args: ['why'], kwargs: { k: 2 } }])).toMatchObject({
    uri: 'a.b',
    message: 'why',
    args: ['why'],
    kwargs: { k: 2 },
    details: { d: 1 },
    sent: true,
  })
  expect(errorOf([8, 48, 1, {}, 'a.b'])).toMatchObject({ message: 'a.b', args: [], kwargs: {} })
})

test('a violation names the expected value', () => {
  expect(violation('X[1] must be an id')).toMatchObject({
    uri: 'wamp.error.protocol_violation',
    message: 'X[1] must be an id',
  })
})

describe('a thrown value', () => {
  test('that is a WampError is sent unchanged', () => {
    const error = new WampError('a.b')
    expect(thrown(error)).toBe(error)
  })

  test('of another kind becomes a runtime_error with its text, and is the cause', () => {
    for (const [value, text] of [
      [new Error('boom'), 'boom'],
      [new RangeError(''), ''],
      ['text', 'text'],
      [5, '5'],
      [null, 'null'],
      [undefined, 'undefined'],
      [Symbol('s'), 'Symbol(s)'],
      [{ toString: () => 'told' }, 'told'],
    ] as const) {
      expect(thrown(value)).toMatchObject({ uri: 'wamp.error.runtime_error', args: [text] })
    }
    const boom = new Error('boom')
    expect(thrown(boom).cause).toBe(boom)
  })

  test('without a readable text becomes a runtime_error as well', () => {
    const mute = [
      Object.create(null),
      {
        toString() {
          throw new Error('no')
        },
      },
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no')
        },
      }),
    ]
    for (const value of mute) {
      expect(thrown(value)).toMatchObject({ uri: 'wamp.error.runtime_error', args: [expect.stringMatching(/no text/)] })
    }
  })
})
