/** URIs: the four regular expressions of the specification are the oracle for the loose and strict rules. */

import { describe, expect, test } from 'vitest'
import { isPattern, isReserved, isUri } from '../../src/protocol/uri.ts'

// Basic Profile, URIs; with the end of the text for `$` of the specification.
const LOOSE = /^([^\s.#]+\.)*([^\s.#]+)$/
const LOOSE_EMPTY = /^(([^\s.#]+\.)|\.)*([^\s.#]+)?$/
const STRICT = /^([0-9a-z_]+\.)*([0-9a-z_]+)$/
const STRICT_EMPTY = /^(([0-9a-z_]+\.)|\.)*([0-9a-z_]+)?$/
const PREFIX = /^([^\s.#]+\.)*([^\s.#]*)$/

/** Every text of up to five of these characters. */
const alphabet = ['a', 'Z', '.', '#', ' ', '-', '_', '0']
const texts = ['']
for (let from = 0, length = 0; length < 5; length++) {
  const end = texts.length
  for (; from < end; from++) for (const character of alphabet) texts.push(texts[from] + character)
}

describe('every text of up to five characters', () => {
  const judged: [name: string, judge: (uri: string) => boolean, oracle: RegExp][] = [
    ['loose', (uri) => isUri(uri), LOOSE],
    ['strict', (uri) => isUri(uri, true), STRICT],
    ['exact', (uri) => isPattern(uri, 'exact'), LOOSE],
    ['exact by default', (uri) => isPattern(uri), LOOSE],
    ['wildcard', (uri) => isPattern(uri, 'wildcard'), LOOSE_EMPTY],
    ['wildcard, strict', (uri) => isPattern(uri, 'wildcard', true), STRICT_EMPTY],
    ['prefix', (uri) => isPattern(uri, 'prefix'), PREFIX],
  ]
  for (const [name, judge, oracle] of judged) {
    test(`${name} follows the specification`, () => {
      expect(texts.filter((text) => judge(text) !== oracle.test(text))).toEqual([])
    })
  }
})

test('white space of any kind is illegal', () => {
  for (const space of [' ', '\t', '\n', '\r', '\u00a0', '\u2028', '\ufeff']) {
    for (const uri of [`a${space}b`, `a.b${space}`, `${space}a`]) expect(isUri(uri)).toBe(false)
  }
})

test('any other character is legal: capitals, hyphens, letters of any language', () => {
  for (const uri of ['getTodaysDate', 'com.my-app.v1', 'com.größe.日本', 'a/b?c=d', '😀', '__proto__']) {
    expect(isUri(uri)).toBe(true)
  }
})

test('a very long text is checked at once', () => {
  const long = `${'a.'.repeat(200_000)}a`
  expect(isUri(long)).toBe(true)
  expect(isUri(`${long}.`)).toBe(false)
  expect(isPattern(`${long}#`, 'wildcard')).toBe(false)
})

test('the namespace wamp belongs to the router, and other names that begin with it do not', () => {
  expect(['wamp', 'wamp.', 'wamp.session.count'].map(isReserved)).toEqual([true, true, true])
  expect(['wampy', 'wampy.error.usage', 'com.wamp', 'Wamp.x', ''].map(isReserved)).toEqual(Array(5).fill(false))
})
