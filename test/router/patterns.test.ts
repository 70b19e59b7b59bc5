/** The index of subscriptions and registrations, compared with a plain scan. */

import { describe, expect, test } from 'vitest'
import type { MatchPolicy } from '../../src/protocol/options.ts'
import { type Pattern, Patterns } from '../../src/router/match/patterns.ts'
import { Prefixes } from '../../src/router/match/prefixes.ts'
import { Wildcards } from '../../src/router/match/wildcards.ts'

let ids = 0
const record = (match: MatchPolicy, uri: string): Pattern => ({ id: ++ids, uri, match })

function index(...records: [match: MatchPolicy, uri: string][]): Patterns<Pattern> {
  const patterns = new Patterns<Pattern>()
  for (const each of records) patterns.add(record(...each))
  return patterns
}

const best = (patterns: Patterns<Pattern>, uri: string): string | undefined => {
  const found = patterns.best(uri)
  return found && `${found.match} ${found.uri}`
}

// The reference, in the words of the specification.
function matches({ uri, match }: Pattern, concrete: string): boolean {
  if (match === 'exact') return uri === concrete
  if (match === 'prefix') return concrete.startsWith(uri)
  const [pattern, components] = [uri.split('.'), concrete.split('.')]
  return pattern.length === components.length && pattern.every((part, i) => part === '' || part === components[i])
}

function preferred(one: Pattern, other: Pattern): number {
  const rank = ['exact', 'prefix', 'wildcard']
  const order = rank.indexOf(one.match) - rank.indexOf(other.match)
  if (order !== 0) return order
  if (one.match === 'prefix') return other.uri.length - one.uri.length
  const [a, b] = [one.uri.split('.'), other.uri.split('.')]
  const differs = a.findIndex((part, i) => (part === '') !== (b[i] === ''))
  return differs < 0 ? 0 : a[differs] === '' ? 1 : -1
}

describe('the best match', () => {
  test('follows the specification, except where its example contradicts its rule', () => {
    const patterns = index(
      ['exact', 'a1.b2.c3.d4.e55'],
      ['prefix', 'a1.b2.c3'],
      ['prefix', 'a1.b2.c3.d4'],
      ['wildcard', 'a1.b2..d4.e5'],
      ['wildcard', 'a1.b2.c33..e5'],
      ['wildcard', 'a1.b2..d4.e5..g7'],
      ['wildcard', 'a1.b2..d4..f6.g7'],
    )
    expect(best(patterns, 'a1.b2.c3.d4.e55')).toBe('exact a1.b2.c3.d4.e55')
    expect(best(patterns, 'a1.b2.c3.d98.e74')).toBe('prefix a1.b2.c3')
    expect(best(patterns, 'a1.b2.c3.d4.e325')).toBe('prefix a1.b2.c3.d4')
    // The example says wildcard a1.b2.c33..e5, as if prefixes consisted of components.
    expect(best(patterns, 'a1.b2.c33.d4.e5')).toBe('prefix a1.b2.c3')
    expect(best(patterns, 'a1.b2.c88.d4.e5')).toBe('wildcard a1.b2..d4.e5')
    expect(best(patterns, 'a1.b2.c88.d4.e5.f6.g7')).toBe('wildcard a1.b2..d4.e5..g7')
    expect(best(patterns, 'a2.b2.c2.d2.e2')).toBeUndefined()
  })

  test.each([
    ['com.myapp.myobject1', 'com.myapp.myobject1', true],
    ['com.myapp.myobject1', 'com.myapp.myobject1.sub', true],
    ['com.myapp.myobject1', 'com.myapp.myobject1-mysub', true],
    ['com.myapp.myobject1', 'com.myapp.myobject', false],
    ['com.myapp.', 'com.myapp', false],
    ['com.myapp.', 'com.myapp.x', true],
    ['', 'anything.at.all', true],
  ])('of prefix %j: %j is %s', (prefix, uri, is) => {
    expect(best(index(['prefix', prefix]), uri) !== undefined).toBe(is)
  })

  test.each([
    ['com..add', 'com.x.add', true],
    ['com..add', 'com.add', false],
    ['com..add', 'com.x.y.add', false],
    ['.add', 'x.add', true],
    ['com.', 'com.x', true],
    ['com.', 'com', false],
    ['...', 'a.b.c.d', true],
    ['', 'a', true],
    ['', 'a.b', false],
    ['a.b', 'a.b', true],
  ])('of wildcard %j: %j is %s', (wildcard, uri, is) => {
    expect(best(index(['wildcard', wildcard]), uri) !== undefined).toBe(is)
  })

  test('changes as soon as records are added or removed', () => {
    const patterns = new Patterns<Pattern>()
    const steps: [Pattern, string][] = [
      [record('wildcard', 'a.'), 'wildcard a.'],
      [record('wildcard', '.b'), 'wildcard a.'],
      [record('prefix', 'a'), 'prefix a'],
      [record('prefix', 'a.'), 'prefix a.'],
      [record('exact', 'a.b'), 'exact a.b'],
    ]
    for (const [each, is] of steps) {
      patterns.add(each)
      expect(best(patterns, 'a.b')).toBe(is)
    }
    for (const [each, is] of steps.reverse()) {
      expect(best(patterns, 'a.b')).toBe(is)
      patterns.delete(each)
    }
    expect(best(patterns, 'a.b')).toBeUndefined()
  })
})

test('the same URI under each policy is three records, found by URI, by id and in lists', () => {
  const patterns = new Patterns<Pattern>()
  const records = (['exact', 'prefix', 'wildcard'] as const).map((match) => record(match, 'a.b'))
  for (const each of records) patterns.add(each)
  expect(patterns.size).toBe(3)
  for (const each of records) {
    expect(patterns.get('a.b', each.match)).toBe(each)
    expect(patterns.find(each.id)).toBe(each)
    expect([...patterns.list(each.match)]).toEqual([each])
  }
  expect(patterns.all('a.b')).toEqual(records)
})

test('deleting an unknown or deleted record does nothing', () => {
  const patterns = index(['prefix', 'a.b'], ['wildcard', 'a.'], ['exact', 'a'])
  for (const match of ['exact', 'prefix', 'wildcard'] as const) patterns.delete(record(match, 'a.b'))
  expect(patterns.size).toBe(3)
  const tree = new Prefixes<number>()
  tree.set('abc', 1)
  for (const prefix of ['', 'a', 'abx', 'abcd']) tree.delete(prefix)
  expect(tree.longest('abcd')).toBe(1)
  const trie = new Wildcards<number>()
  trie.set('a..c', 1)
  for (const pattern of ['', 'a', 'a.b.c', '..c', 'a..']) trie.delete(pattern)
  expect(trie.best('a.b.c')).toBe(1)
})

test('a cached answer is discarded after a change that affects it', () => {
  const patterns = index(['prefix', 'x'])
  const exact = record('exact', 'a')
  expect(patterns.all('a')).toEqual([])
  patterns.add(exact)
  expect(patterns.all('a')).toEqual([exact])
  patterns.delete(exact)
  expect(patterns.all('a')).toEqual([])
})

test('the cache of looked-up URIs is bounded, and is emptied with the last pattern', () => {
  const patterns = new Patterns<Pattern>()
  const one = record('prefix', 'com.')
  patterns.add(one)
  for (let i = 0; i < 10_000; i++) {
    patterns.best(`com.example.${i}`)
    patterns.all(`com.example.${i}`)
  }
  patterns.all(`com.${'x'.repeat(100_000)}`)
  expect(patterns.weight).toBeLessThan(2100)
  patterns.delete(one)
  expect(patterns.weight).toBe(1)
})

test('patterns of many components, and prefixes of one another, take no more memory than their length', () => {
  const patterns = new Patterns<Pattern>()
  const records: Pattern[] = []
  for (let i = 1; i <= 4000; i++) records.push(record('prefix', 'a'.repeat(i)))
  const deep = record('wildcard', '.'.repeat(20_000))
  for (const each of [...records, deep]) patterns.add(each)
  expect(patterns.best('a'.repeat(3999))).toBe(records[3998])
  expect(patterns.all('a'.repeat(30_000))).toHaveLength(4000)
  expect(patterns.best(`b${'.b'.repeat(20_000)}`)).toBe(deep)
  for (const each of [deep, ...records]) patterns.delete(each)
  expect(patterns.weight).toBe(1)
})

test.each([1, 2, 3, 4, 5, 6])('agrees with a linear scan, and is empty when all is deleted: %i', (start) => {
  let seed = start * 7919
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const letters = ['a', 'b', 'ab', 'aa', 'ba', 'aab']
  const component = (): string => letters[random(letters.length)] as string
  const concrete = (): string => Array.from({ length: 1 + random(4) }, component).join('.')
  const text = (match: MatchPolicy): string => {
    if (match === 'exact') return concrete()
    if (match === 'prefix') return concrete().slice(0, random(9))
    return Array.from({ length: 1 + random(4) }, () => (random(2) ? component() : '')).join('.')
  }
  const patterns = new Patterns<Pattern>()
  const records = new Set<Pattern>()
  for (let step = 0; step < 3000; step++) {
    const match = (['exact', 'prefix', 'wildcard'] as const)[random(3)] as MatchPolicy
    const uri = text(match)
    const known = patterns.get(uri, match)
    expect([...records].find((each) => each.uri === uri && each.match === match)).toBe(known)
    if (known && random(3) > 0) {
      patterns.delete(known)
      records.delete(known)
    } else if (!known && (records.size < 150 || random(8) === 0)) {
      const added = record(match, uri)
      patterns.add(added)
      records.add(added)
    }
    const asked = concrete()
    const expected = [...records].filter((each) => matches(each, asked)).sort(preferred)
    expect(patterns.all(asked)).toEqual(expected)
    expect(patterns.best(asked)).toBe(expected[0])
    expect(patterns.size).toBe(records.size)
  }
  for (const each of records) patterns.delete(each)
  expect([patterns.size, patterns.weight]).toEqual([0, 1])
  for (const match of ['exact', 'prefix', 'wildcard'] as const) expect([...patterns.list(match)]).toEqual([])
})

test('wildcards of one length are limited in shapes, which are freed on deletion', () => {
  const patterns = index(['wildcard', '.b.c'], ['wildcard', 'a..c'], ['wildcard', '.x.c'])
  const admitted = (uri: string): boolean => patterns.admits(uri, 'wildcard', 2)
  expect([admitted('.y.z'), admitted('y..z'), admitted('y.z.'), admitted('..z'), admitted('a.b.c')]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  expect(admitted('a.')).toBe(true)
  expect(patterns.admits('a', 'prefix', 2)).toBe(true)
  patterns.delete(patterns.get('.b.c', 'wildcard') as Pattern)
  expect(admitted('..z')).toBe(false)
  patterns.delete(patterns.get('.x.c', 'wildcard') as Pattern)
  expect(admitted('..z')).toBe(true)
})
