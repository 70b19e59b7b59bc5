/** Closed sets and keys: an additional word or key does not compile until the library implements it everywhere. */

import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import * as words from '../../src/protocol/words.ts'
import { anyOf, CANCEL_MODES, FEATURES, isOneOf, MATCH_POLICIES } from '../../src/protocol/words.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** By list: the files that implement its words, and the compiler error there if one is missing. */
const implemented: Record<string, [file: string, error: RegExp][]> = {
  MATCH_POLICIES: [
    ['protocol/uri', /'new_match_policies' is missing/],
    ['protocol/uri', /lacks ending return/],
    ['router/match/patterns', /'new_match_policies' is missing/],
    ['router/pubsub/subscriptions', /lacks ending return/],
  ],
  INVOKE_POLICIES: [['router/rpc/choose-callee', /Not all code paths return/]],
  CANCEL_MODES: [
    ['router/rpc/routing', /'new_cancel_modes' is missing/],
    ['client/roles/caller', /'new_cancel_modes' is missing/],
  ],
  DISCLOSURES: [['router/member/policy', /lacks ending return/]],
  TESTAMENT_SCOPES: [['router/meta/testaments', /'new_testament_scopes' is missing/]],
  CLIENT_ROLES: [
    ['protocol/words', /missing the following properties.*new_client_roles/s],
    ['router/member/peers', /'new_client_roles' is missing/],
  ],
  ROUTER_ROLES: [
    ['protocol/words', /missing the following properties.*new_router_roles/s],
    ['router/meta/meta', /'new_router_roles' is missing/],
  ],
}

/** By file: the features that it announces or reads. */
const features: Record<string, string[]> = {
  'client/roles/features': ['call_reroute', 'publisher_exclusion', 'subscription_revocation'],
  'client/roles/caller': ['call_timeout'],
  'router/pubsub/broker': ['event_retention'],
  'router/rpc/dealer': ['shared_registration'],
  'router/rpc/registrations': ['registration_revocation'],
  'router/meta/meta': ['event_history'],
}

const nameOf = (path: string) => path.slice(`${root}src/`.length, -'.ts'.length)

/** The sources, with an additional word in each list and each of the features above misspelled. */
function changed(path: string, text: string): string {
  const file = nameOf(path)
  if (file === 'protocol/words') {
    return text.replaceAll(/export const (\w+) = \[/g, (begin, list) => `${begin}'new_${list.toLowerCase()}', `)
  }
  return (features[file] ?? []).reduce((all, feature) => {
    if (!all.includes(feature)) throw new Error(`${file} does not know ${feature}`)
    return all.replaceAll(feature, `${feature}_misspelled`)
  }, text)
}

const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root)
const unchanged = new Map<string, ts.SourceFile | undefined>()

/** A program of these files, changed by `change`. */
function compiled(files: readonly string[], change: (path: string, text: string) => string): ts.Program {
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (path, target, ...rest) => {
    const text = path.startsWith(`${root}src/`) ? ts.sys.readFile(path) : undefined
    if (text !== undefined) return ts.createSourceFile(path, change(path, text), target)
    if (!unchanged.has(path)) unchanged.set(path, getSourceFile(path, target, ...rest))
    return unchanged.get(path)
  }
  return ts.createProgram(files, options, host)
}

function errorsIn(program: ts.Program, file: string): string[] {
  const errors = program.getSemanticDiagnostics(program.getSourceFile(`${root}src/${file}.ts`))
  return errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

let program: ts.Program
let found: Map<string, string[]>

beforeAll(() => {
  program = compiled(fileNames, changed)
  const files = [
    ...Object.values(implemented).flatMap((places) => places.map(([file]) => file)),
    ...Object.keys(features),
  ]
  found = new Map(files.map((file) => [file, errorsIn(program, file)]))
}, 60_000)

test('this test lists the implementation of each list of words', () => {
  const lists = Object.entries(words).filter(([, value]) => Array.isArray(value))
  expect(Object.keys(implemented).sort()).toEqual(lists.map(([name]) => name).sort())
})

describe('an additional word does not compile', () => {
  for (const [list, places] of Object.entries(implemented)) {
    for (const [file, error] of places) {
      test(`${list} in ${file}: ${error.source}`, () => {
        expect(found.get(file)).toContainEqual(expect.stringMatching(error))
      })
    }
  }
})

describe('a feature that its role lacks does not compile', () => {
  for (const [file, names] of Object.entries(features)) {
    test.each(names)(`%s in ${file}`, (feature) => {
      expect(found.get(file)).toContainEqual(expect.stringContaining(`${feature}_misspelled`))
    })
  }
})

test.each([
  ['a key that it lacks', 'readonly nkey?: string', '$& \n readonly max_rate?: number', /'max_rate' is missing/],
  [
    'another type of a key',
    'readonly nkey?: string',
    'readonly nkey?: number',
    /'value is string' is not assignable to 'value is number'/,
  ],
  ['one key less', 'readonly get_retained?: boolean', '', /'get_retained' does not exist in type/],
])('the table of keys does not compile with %s', (_, key, changed, error) => {
  const keys = `${root}src/protocol/keys.ts`
  const options = compiled([keys], (path, text) =>
    nameOf(path) === 'protocol/options' ? text.replace(key, changed) : text,
  )
  expect(errorsIn(options, 'protocol/keys')).toContainEqual(expect.stringMatching(error))
})

test('no switch over a closed set has a default', () => {
  const checker = program.getTypeChecker()
  const closed = Object.values(words).flatMap((list): readonly string[] => (Array.isArray(list) ? list : []))
  const switches: string[] = []
  const wrong: string[] = []
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(`${root}src/`)) continue
    const visit = (node: ts.Node): void => {
      if (ts.isSwitchStatement(node)) {
        const type = checker.getTypeAtLocation(node.expression)
        const members = type.isUnion() ? type.types : [type]
        if (members.some((member) => member.isStringLiteral() && closed.includes(member.value))) {
          switches.push(nameOf(file.fileName))
          if (node.caseBlock.clauses.some(ts.isDefaultClause)) wrong.push(nameOf(file.fileName))
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
  }
  expect(wrong).toEqual([])
  expect(switches).toContain('router/rpc/choose-callee')
})

test('a word is checked against its set, and a set can be written as a phrase', () => {
  expect(MATCH_POLICIES.filter((policy) => isOneOf(MATCH_POLICIES, policy))).toEqual([...MATCH_POLICIES])
  for (const value of ['suffix', '', 0, null, undefined, ['exact'], {}]) {
    expect(isOneOf(MATCH_POLICIES, value)).toBe(false)
  }
  expect(anyOf(CANCEL_MODES)).toBe('skip, kill or killnowait')
  expect(anyOf(['one', 'two'])).toBe('one or two')
  expect(anyOf(['one'])).toBe('one')
})

test('no feature is listed twice for its role', () => {
  for (const names of Object.values(FEATURES)) expect(new Set(names).size).toBe(names.length)
})
