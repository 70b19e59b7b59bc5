/** Reads every import under src/ and checks which folder may know which. */
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { namesOf, sourceOf } from '../entry-points.ts'

type Rule = { values: string[]; types?: string[] }
type Rules = Record<string, Rule>

/** What a folder's files may import from other folders, `values` as types too. Entry points, directly under src/, import anything. */
const rules: Rules = {
  protocol: { values: [] },
  serializer: { values: ['protocol'] },
  // A failed dial throws a WampError.
  transport: { values: ['protocol'], types: ['auth'] },
  // The link in memory delivers through the same lane as the wires in memory.
  session: { values: ['protocol', 'transport'], types: ['serializer', 'auth'] },
  // Base64 for the wire.
  auth: { values: ['protocol', 'serializer'] },
  client: { values: ['session', 'protocol'], types: ['auth', 'serializer', 'transport'] },
  // Stores over any client, for the bindings to frameworks.
  live: { values: ['client', 'protocol'] },
  // A payload codec with an entry point of its own, which serializes by CBOR.
  e2ee: { values: ['client', 'serializer', 'protocol'] },
  router: { values: ['session', 'protocol'], types: ['auth', 'serializer', 'transport'] },
  // What `node` is to Node: a router's adapter for workers.
  worker: { values: ['transport', 'serializer', 'session', 'protocol'] },
  node: {
    values: ['operations', 'transport', 'serializer', 'session', 'protocol'],
    types: ['router', 'client', 'auth'],
  },
  // Metrics and logs, which know a router or a client by its type, and take what it reports.
  operations: { values: ['protocol'], types: ['router', 'client'] },
  // '' is an entry point: the console offers the imports of a user.
  cli: {
    values: [
      '',
      'config',
      'node',
      'operations',
      'client',
      'router',
      'auth',
      'session',
      'serializer',
      'transport',
      'protocol',
    ],
  },
  // A router and its listeners made of a configuration.
  config: { values: ['node', 'router', 'auth', 'operations', 'serializer', 'protocol'] },
  testing: {
    values: ['', 'cli', 'node', 'client', 'router', 'auth', 'session', 'serializer', 'transport', 'protocol'],
  },
}

/**
 * The same within a folder, for its subfolders: '' stands for the files directly in it, and a file named here has a rule
 * of its own. Imports of values have no cycles; imports of types may, if listed.
 */
const inside: Record<string, Rules> = {
  client: {
    base: { values: [] },
    'checks.ts': { values: [] },
    codec: { values: [] },
    session: { values: ['base'] },
    handles: { values: ['base', 'checks.ts'], types: ['session', 'roles'] },
    roles: { values: ['base', 'checks.ts', 'session', 'handles'] },
    service: { values: ['base', 'checks.ts'], types: ['roles', ''] },
    connection: { values: ['base', 'session', 'handles'], types: ['codec', 'roles'] },
    // Over any client, which they know by its type.
    functions: { values: ['base', 'checks.ts', 'roles'], types: ['service', ''] },
    '': {
      values: ['checks.ts', 'session', 'roles', 'service', 'connection', 'functions'],
      types: ['base', 'codec', 'handles'],
    },
  },
  router: {
    // A dropped event has one of the reasons that the roles count, and a slow decision is about an action.
    observe: { values: [], types: ['rights', ''] },
    match: { values: [] },
    // A destination has a field for the records of each role.
    member: { values: [], types: ['observe', 'rights', 'rpc', 'pubsub', ''] },
    rights: { values: ['member'] },
    rpc: { values: ['member', 'match', 'rights'] },
    pubsub: { values: ['member', 'match', 'rights'] },
    meta: { values: ['member', 'pubsub', 'rights'], types: ['rpc', 'match', 'observe'] },
    '': { values: ['observe', 'member', 'rights', 'rpc', 'pubsub', 'meta'] },
  },
}

/** The one file that knows the defaults of an address picks the serializers and the transport. */
const exceptions: Record<string, Rule> = {
  'client/wamp-router.ts': { values: ['session', 'protocol', 'serializer', 'transport'], types: ['auth'] },
}

const mayImportNode = ['node', 'config', 'cli', 'testing']

const src = new URL('../src/', import.meta.url)
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
  .sort()
const texts = new Map(files.map((file) => [file, readFileSync(new URL(file, src), 'utf8')]))

interface Import {
  file: string
  /** Folder of the file, '' for an entry point. */
  from: string
  specifier: string
  /** The file that is imported, undefined for a package. */
  target: string | undefined
  /** The folder of an import, '' for an entry point, undefined for a package. */
  to: string | undefined
  typeOnly: boolean
}

const sources = namesOf().map(sourceOf)
const folderOf = (file: string) =>
  file.includes('/') && !sources.includes(`src/${file}`) ? file.slice(0, file.indexOf('/')) : ''

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return
    const target = specifier.text.startsWith('.') ? posix.join(posix.dirname(file), specifier.text) : undefined
    const to = target === undefined ? undefined : folderOf(target)
    found.push({ file, from: folderOf(file), specifier: specifier.text, target, to, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    }
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true))
  return found
}

const imports = files.flatMap((file) => importsOf(file, texts.get(file)!))
const arrow = ({ file, from, to, specifier, typeOnly }: Import) =>
  `src/${file}: ${from || 'entry point'} -> ${to ?? specifier}${to === undefined ? '' : ` ('${specifier}')`}${typeOnly ? ', a type' : ''}`

test('every folder under src has its rule', () => {
  expect(files.length).toBeGreaterThan(0)
  expect(files.map(folderOf).filter((folder) => folder && !rules[folder])).toEqual([])
})

test('imports follow the direction table', () => {
  const wrong = imports.filter(({ file, from, to, typeOnly }) => {
    if (to === undefined || from === '' || to === from) return false
    const { values, types = [] } = exceptions[file] ?? rules[from] ?? { values: [] }
    return !values.includes(to) && !(typeOnly && types.includes(to))
  })
  expect(wrong.map(arrow)).toEqual([])
})

/** The circles that arrows make. */
function cyclesOf(arrows: Iterable<readonly [from: string, to: string]>): string[] {
  const edges = new Map<string, Set<string>>()
  for (const [from, to] of arrows) if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to))
  const cycles: string[] = []
  const walk = (folder: string, path: string[]): void => {
    if (path.includes(folder)) {
      cycles.push([...path.slice(path.indexOf(folder)), folder].join(' -> '))
      return
    }
    for (const next of edges.get(folder) ?? []) walk(next, [...path, folder])
  }
  for (const folder of edges.keys()) walk(folder, [])
  return cycles
}

test('no folder imports itself through others', () => {
  const arrows = imports.flatMap(({ from, to }) => (from && to ? [[from, to] as const] : []))
  expect(cyclesOf(arrows)).toEqual([])
})

describe.each(Object.entries(inside))('inside src/%s', (folder, table) => {
  /** The subfolder of a file, or its name if that has a rule of its own. */
  const partOf = (file: string) => {
    const name = file.slice(folder.length + 1)
    if (table[name]) return name
    return name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
  }
  const within = files.filter((file) => file.startsWith(`${folder}/`))
  const arrows = imports.flatMap(({ file, target, typeOnly }) => {
    if (!file.startsWith(`${folder}/`) || !target?.startsWith(`${folder}/`)) return []
    const [from, to] = [partOf(file), partOf(target)]
    return from === to ? [] : [{ file, target, from, to, typeOnly }]
  })

  test('every subfolder has its rule, and every rule its files', () => {
    expect([...new Set(within.map(partOf))].sort()).toEqual(Object.keys(table).sort())
  })

  test('imports follow the table', () => {
    const wrong = arrows.filter(({ from, to, typeOnly }) => {
      const { values, types = [] } = table[from] ?? { values: [] }
      return !values.includes(to) && !(typeOnly && types.includes(to))
    })
    expect(
      wrong.map(({ file, target, typeOnly }) => `src/${file} -> src/${target}${typeOnly ? ', a type' : ''}`),
    ).toEqual([])
  })

  test('every arrow of the table is used', () => {
    const unused = Object.entries(table).flatMap(([from, { values, types = [] }]) =>
      [
        ...values.filter((to) => !arrows.some((it) => it.from === from && it.to === to && !it.typeOnly)),
        ...types.filter((to) => !arrows.some((it) => it.from === from && it.to === to)),
      ].map((to) => `${from} -> ${to}`),
    )
    expect(unused).toEqual([])
  })

  test('no subfolder imports itself through others', () => {
    expect(
      cyclesOf(Object.entries(table).flatMap(([from, { values }]) => values.map((to) => [from, to] as const))),
    ).toEqual([])
  })
})

test('Node modules and ws stay in node/ and cli/', () => {
  const nodeOnly = new Set(['ws', '@types/ws', ...builtinModules])
  const wrong = imports.filter(
    ({ from, to, specifier }) =>
      to === undefined && !mayImportNode.includes(from) && (specifier.startsWith('node:') || nodeOnly.has(specifier)),
  )
  expect(wrong.map(arrow)).toEqual([])
})

test('only tracing needs OpenTelemetry', () => {
  const tracing = imports.filter(({ specifier }) => specifier.startsWith('@opentelemetry/'))
  expect(tracing.map(({ file, specifier }) => [file, specifier])).toEqual([
    ['operations/otel.ts', '@opentelemetry/api'],
  ])
})

test('misuse is reported by usage() alone', () => {
  const named = files.filter((file) => /\bUSAGE\b/.test(texts.get(file)!))
  expect(named).toEqual(['protocol/error.ts', 'protocol/names.ts'])
})

test('every file begins with a sentence about its purpose', () => {
  const silent = files.filter((file) => {
    const text = texts.get(file)!.replace(/^#!.*\n/, '')
    const comment = /^\/\*\*([\s\S]*?)\*\//
      .exec(text)?.[1]
      ?.replaceAll(/\s*\n\s*\*?\s*/g, ' ')
      .trim()
    return !comment || !/^\S.*[.!?:](\s|$)/.test(comment)
  })
  expect(silent.map((file) => `src/${file}`)).toEqual([])
})
