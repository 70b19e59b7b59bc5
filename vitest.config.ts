/**
 * What `vitest run` runs: everything under test/ but what needs Crossbar.io or other programs, and the programs of the
 * documentation, which have configs of their own.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { importOf, namesOf, sourceOf } from './entry-points.ts'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }
const root = fileURLToPath(new URL('.', import.meta.url))

/** How often a failed test is run again. `.ci/run` sets it to 1, because its machine may stall any process for seconds. */
export const retries = Number(process.env['RETRIES'] ?? 0)
export const reporters = retries > 0 ? ['default', `${root}test/flaky-reporter.ts`] : ['default']

/** These run each program of the documentation, in a minute: `npm run test:docs`. */
export const programsOfDocs = ['test/docs/snippets.test.ts', 'test/docs/migrating.test.ts']

export default defineConfig({
  root,
  define: { __VERSION__: JSON.stringify(version) },
  // Lowers standard decorators and `await using`, which Node does not parse.
  esbuild: { target: 'es2022' },
  resolve: {
    alias: namesOf().map((name) => ({
      find: new RegExp(`^${importOf(name)}$`),
      replacement: `${root}${sourceOf(name)}`,
    })),
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/crossbar/**', 'test/operations/**', 'test/toolchains/**', '**/node_modules/**', ...programsOfDocs],
    // Vitest leaves one core to itself, of two as well; much of the time a test waits for a process or a socket.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 15_000,
    hookTimeout: 30_000,
    retry: retries,
    reporters,
    typecheck: {
      enabled: true,
      include: ['test/types/**/*.test-d.ts'],
      // `npm run types` checks everything else.
      ignoreSourceErrors: true,
    },
  },
})
