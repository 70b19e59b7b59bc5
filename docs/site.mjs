/**
 * `npm run docs`, `npm run docs:build`: installs the site's own dependencies if they have changed, builds the package if it is not
 * built (the snippets are compiled with its declarations), makes the API reference, and runs VitePress: `dev`, `build`, `preview`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const docs = dirname(fileURLToPath(import.meta.url))
const root = join(docs, '..')
const [command = 'dev', ...options] = process.argv.slice(2)

const run = (folder, ...args) =>
  execFileSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' })

const installed = join(docs, 'node_modules', '.package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(docs, 'package-lock.json')).mtimeMs)
  run(docs, 'ci', '--no-progress')
if (!existsSync(join(root, 'dist', 'index.d.ts'))) run(root, 'run', 'build')
if (command === 'build' || !existsSync(join(docs, 'api'))) {
  rmSync(join(docs, 'api'), { recursive: true, force: true })
  run(docs, 'run', 'api')
}
run(docs, 'run', command, '--', ...options)
