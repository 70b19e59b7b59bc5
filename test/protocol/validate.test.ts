/** The table of layouts against the tuple types, and the errors for messages that violate it. */

import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as codes from '../../src/protocol/codes.ts'
import type { Code } from '../../src/protocol/messages.ts'
import {
  checkElements,
  checkLength,
  checkPayloadElements,
  formatValue,
  isDict,
  KIND_DICT,
  KIND_ID,
  KIND_ID_OR_ZERO,
  KIND_REQUEST,
  KIND_TEXT,
  type Layout,
  layoutOf,
  nameOf,
} from '../../src/protocol/validate.ts'

const KINDS: Record<string, number> = {
  Id: KIND_ID,
  'Id | 0': KIND_ID_OR_ZERO,
  Uri: KIND_TEXT,
  string: KIND_TEXT,
  RequestCode: KIND_REQUEST,
  Dict: KIND_DICT,
}

/** The tuples of messages.ts as layouts, by the name of their code. */
function tuples(): Map<string, Omit<Layout, 'code'>> {
  const url = new URL('../../src/protocol/messages.ts', import.meta.url)
  const file = ts.createSourceFile('messages.ts', readFileSync(url, 'utf8'), ts.ScriptTarget.ES2022, true)
  const found = new Map<string, Omit<Layout, 'code'>>()
  file.forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node) || !ts.isTupleTypeNode(node.type)) return
    const [code, ...members] = node.type.elements as unknown as ts.NamedTupleMember[]
    const name = code?.type.getText().replace('typeof ', '') as string
    const payload = members.at(-1)?.name.text === 'payload'
    const rest = payload ? members.slice(0, -1) : members
    const kinds = rest.map(({ type }) => {
      const text = type.getText()
      const kind = KINDS[text] ?? (/^\w+(Options|Details)$/.test(text) ? KIND_DICT : undefined)
      expect(kind, `${name}: ${text}`).toBeDefined()
      return kind as Layout['kinds'][number]
    })
    const required = rest.filter(({ questionToken }) => !questionToken).length
    found.set(name, {
      name,
      kinds,
      least: required + 1,
      most: rest.length + 1,
      payload,
      dict: kinds.indexOf(KIND_DICT) + 1,
    })
  })
  return found
}

const all = Object.entries(codes) as [string, Code][]

test('there are 24 messages, and the tuple and the layout of each agree', () => {
  const types = tuples()
  expect(all).toHaveLength(24)
  expect([...types.keys()].sort()).toEqual(all.map(([name]) => name).sort())
  for (const [name, code] of all) expect(layoutOf(code)).toEqual({ ...types.get(name), code })
})

test('a message is named by its code', () => {
  for (const [name, code] of all) expect(nameOf(code)).toBe(name)
})

test('an invalid code is refused, and the error shows it', () => {
  for (const [code, text] of [
    [0, '0'],
    [7, '7'],
    [99, '99'],
    [-1, '-1'],
    [1.5, '1.5'],
    ['48', '"48"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[], 'a list'],
    ['constructor', '"constructor"'],
  ] as const) {
    expect(() => layoutOf(code)).toThrow(`a message begins with its code, got ${text}`)
  }
})

describe('each message', () => {
  const good: Record<number, unknown> = {
    [KIND_ID]: 1,
    [KIND_ID_OR_ZERO]: 1,
    [KIND_DICT]: {},
    [KIND_TEXT]: 'a.b',
    [KIND_REQUEST]: 48,
  }
  const bad: Record<number, unknown[]> = {
    [KIND_ID]: [0, -1, 1.5, 2 ** 53 + 2, '1', null, undefined, {}, true, 1n],
    [KIND_ID_OR_ZERO]: [-1, 1.5, '0', null, {}],
    [KIND_DICT]: [[], 'text', 1, null, undefined, new Uint8Array(1)],
    [KIND_TEXT]: [1, null, undefined, {}, [], true],
    [KIND_REQUEST]: [50, 0, 1, '48', null, 36, 70],
  }

  for (const [name, code] of all) {
    const layout = layoutOf(code)
    const message = [code, ...layout.kinds.map((kind) => good[kind])]

    test(`${name} is accepted with the types of its elements, with and without optional ones`, () => {
      for (let length = layout.least; length <= layout.most; length++) {
        checkLength(layout, length)
        checkElements(layout, message.slice(0, length))
      }
    })

    test(`${name} is refused with fewer or more elements`, () => {
      const most = layout.payload ? layout.most + 2 : layout.most
      const count = layout.least === most ? most : `${layout.least} to ${most}`
      for (const length of [0, 1, layout.least - 1, most + 1, most + 100]) {
        expect(() => checkLength(layout, length)).toThrow(`${name} has ${count} elements, got ${length}`)
      }
      for (let length = layout.least; length <= most; length++) checkLength(layout, length)
    })

    test(`${name} is refused with a wrong element, and the error names the first one`, () => {
      for (const [i, kind] of layout.kinds.entries()) {
        for (const value of bad[kind] as unknown[]) {
          const wrong = [...message]
          wrong[i + 1] = value
          expect(() => checkElements(layout, wrong)).toThrow(
            expect.objectContaining({
              uri: 'wamp.error.protocol_violation',
              message: expect.stringMatching(new RegExp(`^${name}\\[${i + 1}\\] must be .*, got .*`)),
            }) as never,
          )
        }
      }
    })
  }
})

test('an id of 0 marks a revocation, which has three elements', () => {
  for (const code of [codes.UNSUBSCRIBED, codes.UNREGISTERED]) {
    const layout = layoutOf(code)
    checkElements(layout, [code, 0, { subscription: 5 }])
    expect(() => checkElements(layout, [code, 0])).toThrow('must be an id, got 0')
  }
})

test('args are a list and kwargs a dictionary', () => {
  const layout = layoutOf(codes.CALL)
  checkPayloadElements(layout, [], undefined)
  checkPayloadElements(layout, [1], {})
  for (const args of [{}, 'text', null, 5]) {
    expect(() => checkPayloadElements(layout, args, undefined)).toThrow(/CALL: args must be a list, got/)
  }
  for (const kwargs of [[], 'text', null, 5]) {
    expect(() => checkPayloadElements(layout, [], kwargs)).toThrow(/CALL: kwargs must be a dictionary, got/)
  }
})

test('a dictionary is neither a list nor bytes nor null', () => {
  expect([{}, Object.create(null), { a: 1 }].map(isDict)).toEqual([true, true, true])
  expect([null, [], new Uint8Array(1), 'text', 5, undefined].map(isDict)).toEqual(Array(6).fill(false))
})

test('a value is formatted briefly and on one line, whatever its contents', () => {
  expect([1, 1n, true, null, undefined].map(formatValue)).toEqual(['1', '1', 'true', 'null', 'undefined'])
  expect(formatValue('a "text"\n')).toBe('"a \\"text\\"\\n"')
  expect(formatValue('x'.repeat(100_000))).toBe(`"${'x'.repeat(40)}..."`)
  expect([[1, 2], { a: 1 }, new Uint8Array(5)].map(formatValue)).toEqual(['a list', 'a dictionary', 'bytes'])
})
