/** Options by their rules: an error names the wrong option, and the one probably meant. */

import { describe, expect, test } from 'vitest'
import { checkRules, DURATION, dictOf, FLAG, LIMIT, type OptionRules, STRING } from '../../src/protocol/option-rules.ts'

interface Options {
  readonly reconnect?: boolean
  readonly realms?: readonly string[]
  readonly connectTimeout?: number
  readonly limits?: { readonly calls?: number; readonly subscriptions?: number }
}

const rules: OptionRules<Options> = {
  reconnect: FLAG,
  realms: ['a list of texts', STRING[1], 'each'],
  connectTimeout: DURATION,
  limits: dictOf('limits', { calls: LIMIT, subscriptions: LIMIT }),
}

const message = (options: unknown, report = {}): string => {
  try {
    checkRules('Thing', options, rules, report)
    return ''
  } catch (error) {
    expect(error).toMatchObject({ uri: 'wampy.error.usage', sent: false })
    return (error as Error).message
  }
}

test.each<[object]>([
  [{}],
  [{ reconnect: undefined, anything: undefined }],
  [{ reconnect: false, realms: ['a'], connectTimeout: 0, limits: {} }],
  [{ connectTimeout: Number.POSITIVE_INFINITY, limits: { calls: Number.POSITIVE_INFINITY } }],
  [Object.create({ reconnect: true })],
])('%j is valid', (options) => {
  expect(message(options)).toBe('')
})

test.each<[unknown, string]>([
  ['ws://user:secret@here', 'Thing takes options, such as { reconnect: ... }, got text'],
  [null, 'Thing takes options, such as { reconnect: ... }, got null'],
  [[], 'Thing takes options, such as { reconnect: ... }, got a list'],
  [{ reconnect: 1 }, 'Thing: reconnect must be true or false, got 1'],
  [{ reconnect: null }, 'Thing: reconnect must be true or false, got null'],
  [{ realms: [] }, 'Thing: realms must be a list of texts, got an empty list'],
  [{ realms: 'a' }, 'Thing: realms must be a list of texts, got "a"'],
  [{ realms: ['a', 7] }, 'Thing: realms must be a list of texts, got 7'],
  [{ connectTimeout: -1 }, 'Thing: connectTimeout must be milliseconds: 0, or a number from 1, got -1'],
  [{ connectTimeout: 0.1 }, 'Thing: connectTimeout must be milliseconds: 0, or a number from 1, got 0.1'],
  [{ connectTimeout: Number.NaN }, 'Thing: connectTimeout must be milliseconds: 0, or a number from 1, got NaN'],
  [{ connectTimeout: '5' }, 'Thing: connectTimeout must be milliseconds: 0, or a number from 1, got "5"'],
  [{ limits: 5 }, 'Thing: limits must be options such as { calls: ... }, got 5'],
  [{ limits: { calls: 0 } }, 'limits.calls must be a number above 0, got 0'],
  [{ limits: { call: 1 } }, 'limits has no option "call": did you mean calls?'],
  [{ reconect: true }, 'Thing has no option "reconect": did you mean reconnect?'],
  [{ Realms: ['a'] }, 'Thing has no option "Realms": did you mean realms?'],
  [{ connectionTimeout: 1 }, 'Thing has no option "connectionTimeout": did you mean connectTimeout?'],
  [{ url: 'ws://here' }, 'Thing has no option "url", but reconnect, realms, connectTimeout, limits'],
  [{ constructor: 1 }, 'Thing has no option "constructor", but reconnect, realms, connectTimeout, limits'],
])('%j is invalid', (options, text) => {
  expect(message(options)).toBe(text)
})

describe('an error', () => {
  test('shows an example of the options', () => {
    expect(message(5, { example: 'realms: ["a"]' })).toBe('Thing takes options, such as { realms: ["a"] }, got 5')
  })

  test('suggests the equivalent of an option of another library', () => {
    expect(message({ url: 1 }, { instead: { url: 'write router' } })).toBe('Thing has no option "url": write router')
  })

  test('appends the advice after an unknown option', () => {
    expect(message({ realm: 'a' }, { advice: ' (mind your own)' })).toBe(
      'Thing has no option "realm": did you mean realms? (mind your own)',
    )
  })
})
