/** The API reference: a page for each entry point of the package, made from its docstrings. */

import { existsSync, readFileSync } from 'node:fs'
import { Converter, ReflectionKind } from 'typedoc'

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

const sourceOf = (name) => {
  const file = `../src/${name === '.' ? 'index' : name.slice('./'.length)}.ts`
  return [file, `${file}x`].find((path) => existsSync(new URL(path, import.meta.url)))
}

/** Names each module as it is imported: `wampy-ts/auth/router`, not `auth/router`. */
function importNames({ converter }) {
  converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return
    reflection.name = reflection.name === 'index' ? 'wampy-ts' : `wampy-ts/${reflection.name}`
  })
}

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints: Object.keys(exports)
    .filter((name) => !/\.\w+$/.test(name))
    .map(sourceOf),
  tsconfig: '../tsconfig.json',
  plugin: ['typedoc-plugin-markdown', importNames],
  router: 'module',
  entryFileName: 'index',
  // Not what classes inherit from eventemitter3, such as `on`: `ClientEvents` has the events.
  excludeExternals: true,
  out: 'api',
  readme: 'none',
  excludeInternal: true,
  excludePrivate: true,
  // A name that several entry points export is described at one of them.
  excludeReferences: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  // The table of the configuration's keys is typed by it; nobody needs its name.
  intentionallyNotExported: ['Values'],
  externalSymbolLinkMappings: { '@types/node': { '*': '#' } },
  hideBreadcrumbs: true,
  hidePageHeader: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  enumMembersFormat: 'table',
  useCodeBlocks: true,
}
