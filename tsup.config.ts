/** Builds the entry points as ESM and CJS with declarations, the command as ESM, and the self-contained browser files. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { entriesOf, namesOf } from './entry-points.ts'
import { configSchema } from './src/config/keys.ts'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

const entries = entriesOf(namesOf())

/** Drops the comments in which esbuild names the file that code is from, a hundredth of the package. */
const withoutPaths: NonNullable<Options['plugins']>[number] = {
  name: 'without-paths',
  renderChunk: (code) => ({ code: code.replace(/^\/\/ (src|node_modules)\/.*\n/gm, '') }),
}

/** Puts the directive first in the files of `wampy-ts/react`, where bundlers of server components read it; rollup would drop it. */
const useClient: NonNullable<Options['plugins']>[number] = {
  name: 'use-client',
  renderChunk: (code) => ({ code: code.replace(/^"use client";\n/m, '') }),
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles) {
      if (!/(^|[\\/])react\.c?js$/.test(name)) continue
      writeFileSync(name, `"use client";\n${readFileSync(name, 'utf8')}`)
    }
  },
}

const common: Options = {
  target: 'es2022',
  define: { __VERSION__: JSON.stringify(version) },
  // None: without the sources a map helps nobody, and with them the package would be three times as large.
  sourcemap: false,
  clean: false,
  plugins: [withoutPaths, useClient],
}

/** CommonJS packages that the ESM files contain: rollup without its commonjs plugin reads none. */
const inlined = ['ws', 'eventemitter3', 'isomorphic-ws']

/**
 * Turns the `require` of a Node module in `ws` and `yaml` into an import. In an ES module esbuild would leave a `require` that
 * throws, here and in what a user bundles.
 */
const importedBuiltins: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'imported-builtins',
  setup({ onLoad, onResolve }) {
    const required = /\brequire\('([a-z]+)'\)/g
    onLoad({ filter: /[\\/]node_modules[\\/](ws[\\/]lib|yaml[\\/]dist)[\\/].*\.js$/ }, async ({ path }) => {
      const contents = (await readFile(path, 'utf8')).replace(required, (whole, name: string) =>
        builtinModules.includes(name) ? `require('imported:${name}').default` : whole,
      )
      // Drops the comments, a sixth of the file; the build formats the code again.
      return { contents: (await transform(contents, { minifyWhitespace: true })).code }
    })
    onResolve({ filter: /^imported:/ }, ({ path }) => ({
      path: path.slice('imported:'.length),
      namespace: 'imported',
      sideEffects: false,
    }))
    onLoad({ filter: /.*/, namespace: 'imported' }, ({ path }) => ({
      contents: `export { default } from 'node:${path}'`,
    }))
  },
}

/** Puts an emitter of our own in the place of eventemitter3, which has code for old engines. */
const smallEmitter: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'small-emitter',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^eventemitter3$/ }, () => ({
      path: fileURLToPath(new URL('src/client/base/page-emitter.ts', import.meta.url)),
      sideEffects: false,
    })),
}

/**
 * Drops the docstrings of our sources: editors show those of the declarations. Annotations such as `@__PURE__` stay. In
 * files for Node, an optional package in CommonJS is hidden from bundlers, some of which fail on it; Node finds it.
 */
const edited = (platform: 'node' | 'page'): NonNullable<Options['esbuildPlugins']>[number] => ({
  name: 'edited',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const code = (await readFile(path, 'utf8')).replace(/^[ \t]*\/\*\*[\s\S]*?\*\/[ \t]*\n/gm, '')
      const hidden = "import(['@mongodb-js', 'saslprep'].join('/'))"
      return {
        contents: platform === 'node' ? code.replace("import('@mongodb-js/saslprep')", hidden) : code,
        loader: 'ts',
      }
    }),
})

/** The licences of what dist/ contains of others. */
function writeLicences(): void {
  const parts = [...inlined, '@noble/ciphers', 'yaml'].map((name) => {
    const text = readFileSync(join('node_modules', name, 'LICENSE'), 'utf8').trim()
    return `${name}\n${'-'.repeat(name.length)}\n\n${text}\n`
  })
  mkdirSync('dist', { recursive: true })
  writeFileSync(
    'dist/THIRD-PARTY-LICENSES.txt',
    `Files in this folder contain code of these packages.\n\n${parts.join('\n')}`,
  )
}

/** Leaves out of a page what only Node's WebSocket has. */
const forPages: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'pages',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/platform\.ts$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'page.ts'),
      sideEffects: false,
    })),
}

/** Leaves out what only some pages need: those without WebCrypto, or with passwords that are not ASCII. An import map finds it. */
const withoutOptionalPeers: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'optional peers',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^(@noble\/(curves|hashes)|@mongodb-js\/saslprep)(\/|$)/ }, ({ path }) => ({
      path,
      external: true,
    })),
}

const library: Options = {
  ...common,
  // What `await using` needs of the types; a page that names its libs may lack it.
  dts: { entry: entries, banner: '/// <reference lib="esnext.disposable" />' },
  // One copy of each class for all the entry points of a format, so that `instanceof WampError` holds across them.
  splitting: true,
  removeNodeProtocol: false,
}

/** Files for script tags and bare module scripts, with everything in them. */
const selfContained: Options = {
  ...common,
  globalName: 'wampy',
  platform: 'browser',
  minify: true,
  splitting: false,
  noExternal: [/.*/],
  esbuildPlugins: [forPages, withoutOptionalPeers, smallEmitter],
  outExtension: ({ format }) => ({ js: format === 'iife' ? '.min.js' : '.mjs' }),
}

/** For editors: the `$schema` of a configuration. */
function writeSchema(): void {
  writeFileSync('dist/router.schema.json', `${JSON.stringify(configSchema(), null, 1)}\n`)
}

export default defineConfig(() => {
  // The configs below run side by side in one folder: emptied here, once, before any of them writes.
  rmSync('dist', { recursive: true, force: true })
  writeLicences()
  writeSchema()
  return [
    {
      ...library,
      name: 'esm',
      format: 'esm',
      // The command shares its chunks with the entry points: a service class that it loads extends the same WampClient.
      entry: { ...entries, cli: 'src/cli/main.ts' },
      noExternal: [...inlined, 'yaml'],
      // Optional to `ws`, which tries them and goes on without.
      external: ['bufferutil', 'utf-8-validate'],
      esbuildPlugins: [importedBuiltins, edited('node')],
      esbuildOptions(options) {
        options.minifySyntax = true
      },
    },
    {
      ...library,
      name: 'cjs',
      format: 'cjs',
      entry: entries,
      // Rollup turns the chunks into CommonJS. Without it tsup asks sucrase, which also lowers `?.` and `??` to slow calls.
      treeshake: true,
      // An ES module, which `require` cannot load before Node 20.19.
      noExternal: ['@noble/ciphers'],
      esbuildPlugins: [edited('node')],
      esbuildOptions(options) {
        options.minifySyntax = true
      },
    },
    {
      ...common,
      name: 'page',
      format: 'esm',
      entry: entriesOf(namesOf({ page: true })),
      outDir: 'dist/page',
      noExternal: inlined,
      platform: 'browser',
      splitting: true,
      removeNodeProtocol: false,
      esbuildPlugins: [forPages, smallEmitter, edited('page')],
      // Puts numbers in the place of the codes of messages: a bundler drops no object with computed keys, and so no role.
      esbuildOptions(options) {
        options.minifySyntax = true
      },
    },
    {
      ...selfContained,
      name: 'browser',
      entry: { wampy: 'src/global.ts' },
      format: ['iife', 'esm'],
    },
    {
      ...selfContained,
      name: 'browser client',
      entry: { 'wampy-client': 'src/global-client.ts' },
      format: 'iife',
    },
  ]
})
