/**
 * `npm run docs`, `npm run docs:build`, `npm run test:docs`: installs the site's own dependencies if they have changed, builds the
 * package if it is not built (the snippets are compiled with its declarations), makes the API reference, and runs VitePress.
 * A warning fails `build`. `test` builds the site and runs docs/e2e/ on it.
 */
import { spawn } from 'node:child_process'
import { existsSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const docs = dirname(fileURLToPath(import.meta.url))
const root = join(docs, '..')
const [command = 'dev', ...options] = process.argv.slice(2)

/** Shows the output as it comes and resolves to it; a failure ends this program. */
function run(folder, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, {
      cwd: folder,
      stdio: ['inherit', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      env: { ...process.env, ...env },
    })
    let output = ''
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (chunk) => {
        output += chunk
        process[stream].write(chunk)
      })
    }
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal))
    child.once('close', (code) => (code === 0 ? resolve(output) : process.exit(code ?? 1)))
  })
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

const installed = join(docs, 'node_modules', '.package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(docs, 'package-lock.json')).mtimeMs)
  await run(docs, ['ci', '--no-progress'])
if (!existsSync(join(root, 'dist', 'index.d.ts'))) await run(root, ['run', 'build'])

const builds = command === 'build' || command === 'test'
if (builds || (command === 'dev' && !existsSync(join(docs, 'api')))) {
  rmSync(join(docs, 'api'), { recursive: true, force: true })
  await run(docs, ['run', 'api'])
}
if (builds) {
  const output = await run(docs, ['run', 'build', '--', ...(command === 'build' ? options : [])])
  const warnings = output.split('\n').filter((line) => /\(!\)|\bwarn(ing)?\b/i.test(line))
  if (warnings.length > 0) {
    console.error(`The build printed warnings:\n${warnings.join('\n')}`)
    process.exit(1)
  }
}
if (command === 'test') {
  const port = String(await freePort())
  await run(root, ['exec', '--', 'playwright', 'test', '--config', 'docs/playwright.config.ts', ...options], {
    DOCS_PORT: port,
  })
} else if (command !== 'build') {
  await run(docs, ['run', command, '--', ...options])
}
