/** Builds the doors as ESM and CJS with declarations, the command as ESM, and the two self-contained browser files. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Options } from 'tsup'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

const doors = {
  index: 'src/index.ts',
  router: 'src/router.ts',
  node: 'src/node.ts',
  cbor: 'src/cbor.ts',
  msgpack: 'src/msgpack.ts',
  e2ee: 'src/e2ee.ts',
  testing: 'src/testing.ts',
}

const common: Options = {
  target: 'es2022',
  define: { __VERSION__: JSON.stringify(version) },
  sourcemap: true,
  clean: false,
}

/** Doors that a page may import. */
const pageDoors = ['index', 'router', 'cbor', 'msgpack', 'e2ee'] as const

/** Leaves out of a page what only Node's WebSocket has. */
const forPages: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'pages',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/platform\.ts$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'page.ts'),
      sideEffects: false,
    })),
}

const library: Options = {
  ...common,
  dts: { entry: doors },
  // One copy of each class for all the doors of a format, so that `instanceof WampError` holds across them.
  splitting: true,
  removeNodeProtocol: false,
}

export default defineConfig(() => {
  // The configs below run side by side in one folder: emptied here, once, before any of them writes.
  rmSync('dist', { recursive: true, force: true })
  return [
    {
      ...library,
      name: 'esm',
      format: 'esm',
      // The command shares its chunks with the doors: a service class that it loads extends the same WampClient.
      entry: { ...doors, cli: 'src/cli/main.ts' },
    },
    {
      ...library,
      name: 'cjs',
      format: 'cjs',
      entry: doors,
      // Rollup turns the chunks into CommonJS. Without it tsup asks sucrase, which also lowers `?.` and `??` to slow calls.
      treeshake: true,
      // ESM only; before Node 20.19 `require` can't load that.
      noExternal: ['@noble/ciphers'],
    },
    {
      ...common,
      name: 'page',
      format: 'esm',
      entry: Object.fromEntries(pageDoors.map((door) => [door, doors[door]])),
      outDir: 'dist/page',
      platform: 'browser',
      splitting: true,
      removeNodeProtocol: false,
      esbuildPlugins: [forPages],
    },
    {
      ...common,
      name: 'browser',
      entry: { wampy: 'src/global.ts' },
      format: ['iife', 'esm'],
      globalName: 'wampy',
      platform: 'browser',
      minify: true,
      splitting: false,
      noExternal: [/.*/],
      esbuildPlugins: [forPages],
      outExtension: ({ format }) => ({ js: format === 'iife' ? '.min.js' : '.mjs' }),
    },
  ]
})
