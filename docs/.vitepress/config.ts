import { fileURLToPath } from 'node:url'
import { transformerTwoslash } from '@shikijs/vitepress-twoslash'
import ts from 'typescript'
import { defineConfig } from 'vitepress'
import { playgroundScripts } from '../playground/bundle.ts'
import { writeForModels } from './llms.ts'
import { sidebar } from './sidebar.ts'
import { snippetNames, snippetPath } from './snippets.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const snippets = fileURLToPath(new URL('../snippets', import.meta.url))

export default defineConfig({
  title: 'wampy-ts',
  description: 'WAMP for the web: typed RPC and PubSub over WebSocket, in browser and Node, with a router to embed',
  lang: 'en',
  base: process.env['DOCS_BASE'] ?? '/',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${process.env['DOCS_BASE'] ?? '/'}logo.svg` }]],
  srcExclude: ['snippets/**', 'node_modules/**'],
  lastUpdated: false,
  markdown: {
    config: snippetNames,
    // Of the examples in docstrings, which are highlighted in hovers.
    languages: ['js', 'ts', 'tsx', 'vue', 'json', 'sh'],
    codeTransformers: [
      snippetPath(snippets),
      transformerTwoslash({
        throws: true,
        twoslashOptions: {
          vfsRoot: snippets,
          compilerOptions: {
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            skipLibCheck: true,
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            moduleResolution: ts.ModuleResolutionKind.Bundler,
            jsx: ts.JsxEmit.ReactJSX,
            lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
            types: ['node'],
            typeRoots: [`${root}node_modules/@types`],
            // The built package, whose declarations are those that a user sees.
            paths: { 'wampy-ts': [`${root}dist/index.d.ts`], 'wampy-ts/*': [`${root}dist/*.d.ts`] },
          },
        },
      }),
    ],
  },
  vite: {
    plugins: [playgroundScripts()],
    // The hovers of a page with many programs are large; each page loads only its own.
    build: { chunkSizeWarningLimit: 4000 },
  },
  buildEnd: writeForModels,
  themeConfig: {
    logo: '/logo.svg',
    sidebar,
    nav: [
      { text: 'Guide', link: '/getting-started', activeMatch: '^/(?!router/|cli|api/|playground)' },
      { text: 'Router', link: '/router/', activeMatch: '^/router/' },
      { text: 'Command line', link: '/cli', activeMatch: '^/cli' },
      { text: 'Playground', link: '/playground' },
    ],
    search: {
      provider: 'local',
      options: {
        // Of the API reference only the names, and after the guide: a page about testaments comes before their types.
        _render: (text, env, md) =>
          md.renderAsync(env.relativePath.startsWith('api/') ? text.replace(/^(?!#{1,3} ).*$/gm, '') : text, env),
        miniSearch: {
          searchOptions: { boostDocument: (id: string) => (id.includes('/api/') ? 0.1 : 1) },
        },
      },
    },
    outline: [2, 3],
  },
})
