/** The README's code blocks, and a project folder in which they run as a stranger's would. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface Block {
  readonly language: string
  /** The file name in the block; empty for none. */
  readonly file: string
  readonly text: string
}

/** Every fenced block that has a language, in order. */
export function blocks(): Block[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  return [...readme.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)].map(([, language = '', file = '', text = '']) => ({
    language,
    file,
    text,
  }))
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
  /** Stands for the README's 8080, which may be taken on this machine. */
  readonly port: number
  /** Stands for the README's 5173, the port of Vite. */
  readonly pagePort: number
  remove(): void
}

/** A folder with all named blocks as files, in which the built package and its companions are installed. */
export async function project(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'wampy-readme-'))
  const [port, pagePort] = [await freePort(), await freePort()]
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true })
  mkdirSync(join(folder, 'node_modules', '@vitejs'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', 'wampy-ts'))
  const companions = [
    'tsx',
    'zod',
    'jose',
    'react',
    'react-dom',
    'vue',
    '@types/node',
    '@types/react',
    '@types/react-dom',
    'ws',
    '@types/ws',
  ]
  for (const name of companions) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  // As `npm init -y` writes it; the README names further settings itself.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'commonjs' }))
  const [, keys] =
    /^npm pkg set ([a-z=]+)/m.exec(
      blocks()
        .map(({ text }) => text)
        .join(''),
    ) ?? []
  if (keys) execFileSync('npm', ['pkg', 'set', keys], { cwd: folder, stdio: 'ignore' })
  for (const { file, text } of blocks()) {
    if (!file) continue
    const ported = text.replaceAll('8080', String(port)).replaceAll('5173', String(pagePort))
    writeFileSync(join(folder, file), ported)
  }
  return { folder, port, pagePort, remove: () => rmSync(folder, { recursive: true }) }
}
