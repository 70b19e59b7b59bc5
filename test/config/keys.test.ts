/** Each key of a configuration: a right value, a wrong one with its message, and a typo of its name. */

import { describe, expect, test } from 'vitest'
import { checkConfig } from 'wampy-ts/node'
import { placeText, problemText } from '../../src/config/config-problems.ts'
import { CONFIG, configSchema } from '../../src/config/keys.ts'
import type { Place, Problem } from '../../src/config/shapes.ts'
import { completeConfig } from './complete.ts'
import { documented, withReference } from './reference.ts'

const FORMS = [0, 1, 2] as const

function problemsOf(config: unknown): Problem[] {
  const problems: Problem[] = []
  CONFIG.check(config, [], (problem) => problems.push(problem))
  return problems
}

/** Every place in a value, from outside to inside. */
function* placesIn(value: unknown, at: Place = []): Generator<Place> {
  if (at.length > 0) yield at
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* placesIn(item, [...at, index])
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* placesIn(item, [...at, key])
}

/** The same value, with another one at a place. */
function replaced(value: unknown, [first, ...rest]: Place, by: (old: unknown) => unknown): unknown {
  if (first === undefined) return by(value)
  const copy: Record<string | number, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) }
  copy[first] = replaced(copy[first], rest, by)
  return copy
}

/** The keys of a table by the place of a value in the complete configuration. */
const LISTENER_TYPES = ['websocket', 'rawsocket', 'unix']
function pathOf(at: Place): string {
  return at
    .map((part, index) => {
      if (typeof part === 'string') return index === 0 ? part : at[index - 1] === 'users' ? '.<name>' : `.${part}`
      return at[index - 1] === 'listeners' ? `[](${LISTENER_TYPES[part]})` : '[]'
    })
    .join('')
}

const paths = new Set(CONFIG.within.map(([path]) => path.slice(1)))

test('a configuration with every key, and every form of a secret, is right', () => {
  for (const form of FORMS) expect(problemsOf(completeConfig(form))).toEqual([])
  const covered = new Set(FORMS.flatMap((form) => [...placesIn(completeConfig(form))].map(pathOf)))
  expect([...paths].filter((path) => !covered.has(path))).toEqual([])
})

test('a wrong value of each key is reported at its place, with what it must be', async () => {
  const lines: string[] = []
  for (const form of FORMS) {
    const config = completeConfig(form)
    for (const at of placesIn(config)) {
      if (!paths.has(pathOf(at))) continue
      // None of them is right for a key: a number with a fraction, a text with a line break, a list of lists.
      const wrong = [1.5, 'no\nse#nse', [[]]].map((value) => problemsOf(replaced(config, at, () => value)))
      for (const problems of wrong.filter(({ length }) => length > 0)) {
        for (const problem of problems) expect(placeText(problem.at)).toContain(placeText(at))
      }
      const [first] = wrong.flat()
      expect(first?.text).toMatch(/^must be .+, got .+$/s)
      lines.push(problemText(first as Problem))
    }
  }
  await expect(`${[...new Set(lines)].join('\n')}\n`).toMatchFileSnapshot('messages.txt')
})

test('a key with a typo is reported, with the one that was meant', () => {
  const config = completeConfig(0)
  for (const at of placesIn(config)) {
    const name = at.at(-1) as string
    // Without its type, a listener has no keys yet; `$schema` is one of a kind.
    if (!paths.has(pathOf(at)) || name.length < 4 || ['type', '$schema'].includes(name)) continue
    const typo = `${name.slice(0, 2)}${name.slice(3)}`
    const misspelt = replaced(config, at.slice(0, -1), (old) => {
      const { [name]: value, ...rest } = old as Record<string, unknown>
      return { ...rest, [typo]: value }
    })
    const found = problemsOf(misspelt).map(({ at: place, text }) => `${place.at(-1)} ${text}`)
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${typo} is not a key here: did you mean \\S+\\?$`)))
  }
})

test.each<[string, string]>([
  ['realms', 'the configuration needs the key realms: a list of realms'],
  ['listeners', 'the configuration needs the key listeners: a list of listeners'],
])('without %s it is not right', (name, message) => {
  const { [name]: _, ...rest } = completeConfig(0) as Record<string, unknown>
  expect(problemsOf(rest).map(problemText)).toEqual([message])
})

test.each([undefined, null, [], 'text', 7])('%j is not a configuration', (value) => {
  expect(checkConfig(value).map(problemText)).toEqual([
    expect.stringContaining('the configuration must be a dictionary'),
  ])
})

describe('what is made of the table', () => {
  test('the reference in docs/configuration.md is up to date (npm run api)', () => {
    expect(documented()).toBe(withReference(documented()))
  })

  test('the JSON Schema knows the same keys', () => {
    const found: string[] = []
    const walk = (schema: Record<string, unknown>, path: string): void => {
      for (const each of (schema['anyOf'] as Record<string, unknown>[] | undefined) ?? []) {
        const type = (each['properties'] as { type?: { enum: string[] } } | undefined)?.type?.enum[0]
        walk(each, path === 'listeners[]' && type ? `${path}(${type})` : path)
      }
      if (schema['items']) walk(schema['items'] as Record<string, unknown>, `${path}[]`)
      const { properties = {}, additionalProperties } = schema as { properties?: Record<string, never> } & typeof schema
      if (typeof additionalProperties === 'object')
        walk(additionalProperties as Record<string, unknown>, `${path}.<name>`)
      for (const [name, each] of Object.entries(properties)) {
        const place = path === '' ? name : `${path}.${name}`
        found.push(place)
        expect((each as { description?: string }).description, place).toMatch(/\w/)
        walk(each, place)
      }
    }
    walk(configSchema() as Record<string, unknown>, '')
    expect(new Set(found)).toEqual(paths)
  })
})
