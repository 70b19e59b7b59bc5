/**
 * `npm run docs` and `npm run docs:build`: installs the site's own dependencies if they have changed, builds the package if it is
 * not built, whose declarations the snippets are compiled with, and runs VitePress: `dev`, `build` or `preview`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
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
run(docs, 'run', command, '--', ...options)
