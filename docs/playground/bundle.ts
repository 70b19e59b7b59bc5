/** Bundles the scripts of the playground's frame, and is the Vite plugin that offers them to the site. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { importOf, sourceOf } from '../../entry-points.ts'
import type { Scripts } from './runner.ts'

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '../..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

/** The entry points that programs may import: those for pages that need neither a framework nor another package. */
const names = [
  '.',
  './router',
  './auth',
  './auth/router',
  './cbor',
  './msgpack',
  './e2ee',
  './metrics',
  './log',
  './live',
]

/** Bundles the frame's script, and the script of its workers with the entry points in it. */
export async function bundleScripts(): Promise<Scripts> {
  const runtime = [
    `import { serveProgram } from './worker.ts'`,
    ...names.map((name, index) => `import * as m${index} from '../../${sourceOf(name)}'`),
    `serveProgram({ ${names.map((name, index) => `'${importOf(name)}': m${index}`).join(', ')} })`,
  ]
  const [frame, workers] = await Promise.all([
    bundle({ entryPoints: [join(folder, 'frame.ts')] }),
    // A classic script: Chromium starts no module worker from a blob of an opaque origin.
    bundle({ stdin: { contents: runtime.join('\n'), resolveDir: folder, loader: 'ts' } }),
  ])
  // The frame's script is text within a script element.
  return { frame: frame.replaceAll('</script', '<\\/script'), runtime: workers }
}

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    // The consoles show the names of classes.
    keepNames: true,
    define: { __VERSION__: JSON.stringify(version) },
    tsconfigRaw: {},
    plugins: [forPages],
  })
  return outputFiles[0]?.text ?? ''
}

/** As the package's own build for pages: what only Node's WebSocket has is left out, optional packages stay outside. */
const forPages: Plugin = {
  name: 'pages',
  setup({ onResolve }) {
    onResolve({ filter: /\/platform\.ts$/ }, ({ resolveDir }) => ({ path: join(resolveDir, 'page.ts') }))
    onResolve({ filter: /^(@noble\/(curves|hashes)|@mongodb-js\/saslprep|jose)(\/|$)/ }, ({ path }) => ({
      path,
      external: true,
    }))
  },
}

const ID = 'virtual:playground-scripts'

/** A Vite plugin: `import scripts from 'virtual:playground-scripts'`. */
export function playgroundScripts() {
  return {
    name: 'wampy-ts playground',
    resolveId: (id: string) => (id === ID ? `\0${ID}` : undefined),
    async load(id: string) {
      return id === `\0${ID}` ? `export default ${JSON.stringify(await bundleScripts())}` : undefined
    },
  }
}
