/** The snippets of the documentation, and a project folder in which they run as a stranger's would. */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const DOCS = join(ROOT, 'docs')
const SNIPPETS = join(DOCS, 'snippets')

/** Paths below the folder, with slashes, sorted; folders of generated or installed files are left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
    .filter((path) => !/^(node_modules|api|snippets|public|\.vitepress)\//.test(path))
    .sort()
}

/** The text of each snippet by its path below docs/snippets: `calling/calling.ts`. */
export function snippets(): Map<string, string> {
  return new Map(filesBelow(SNIPPETS).map((path) => [path, readFileSync(join(SNIPPETS, path), 'utf8')]))
}

/** The text of each page by its path below docs: `router/index.md`. */
export function pages(): Map<string, string> {
  const paths = filesBelow(DOCS).filter((path) => path.endsWith('.md'))
  return new Map(paths.map((path) => [path, readFileSync(join(DOCS, path), 'utf8')]))
}

export interface Block {
  readonly language: string
  /** The file name in the block; empty for none. */
  readonly file: string
  readonly text: string
}

/** Every fenced block, in order. */
export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^ *```(\w*) ?([^\n]*)\n(.*?)^ *```$/gms)].map(
    ([, language = '', file = '', text = '']) => ({ language, file, text }),
  )
}

/** An unused port. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export interface Project {
  readonly folder: string
  /** Stands for the 8080 of the snippets, which may be taken on this machine. */
  readonly port: number
  /** Stands for their 5173, the port of Vite. */
  readonly pagePort: number
  /** With `npx` and `wampy-ts`, which run what is installed in the folder. */
  readonly env: NodeJS.ProcessEnv
  remove(): void
}

/** What a reader installs for a page, besides wampy-ts. */
const companions = [
  'tsx',
  'zod',
  'jose',
  'autobahn',
  'wampy',
  'socket.io',
  'socket.io-client',
  '@trpc',
  'react',
  'react-dom',
  'vue',
  '@tanstack',
  '@opentelemetry',
  '@noble',
  '@types/node',
  '@types/react',
  '@types/react-dom',
  'ws',
  '@types/ws',
]

/**
 * A folder with all snippets, in which the built package and its companions are installed. The port is a free one, unless it
 * is given.
 */
export async function project(given: { readonly port?: number } = {}): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'wampy-docs-'))
  const [port, pagePort] = [given.port ?? (await freePort()), await freePort()]
  for (const path of ['@types', '@vitejs', '.bin']) mkdirSync(join(folder, 'node_modules', path), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', 'wampy-ts'))
  for (const name of companions) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))

  const bin = join(folder, 'node_modules', '.bin')
  symlinkSync(join(ROOT, 'dist', 'cli.js'), join(bin, 'wampy-ts'))
  symlinkSync(join(ROOT, 'node_modules', '.bin', 'tsx'), join(bin, 'tsx'))
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n')
  for (const name of ['npx', 'wampy-ts']) chmodSync(join(bin, name), 0o755)

  const all = snippets()
  // As `npm init -y` writes it; the first page names the further settings itself.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'commonjs' }))
  const [, keys] = /^npm pkg set ([a-z=]+)/m.exec(all.get('getting-started/run.sh') ?? '') ?? []
  if (keys) execFileSync('npm', ['pkg', 'set', keys], { cwd: folder, stdio: 'ignore' })

  // The templates of React have this setting, by which tsx compiles what a server renders.
  const settings = join(folder, 'tsx.json')
  writeFileSync(settings, JSON.stringify({ compilerOptions: { jsx: 'react-jsx' } }))

  for (const [path, text] of all) {
    const ported = text.replaceAll('8080', String(port)).replaceAll('5173', String(pagePort))
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), ported)
  }
  return {
    folder,
    port,
    pagePort,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, TSX_TSCONFIG_PATH: settings },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
