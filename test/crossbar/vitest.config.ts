/** The configuration of `npm run test:crossbar`: our client against Crossbar.io, one file at a time. */
import { defineConfig } from 'vitest/config'
import base, { reporters, retries } from '../../vitest.config.ts'

export default defineConfig({
  ...base,
  test: {
    include: ['test/crossbar/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 30_000,
    retry: retries,
    reporters,
    // Crossbar.io takes some seconds to accept connections.
    hookTimeout: 120_000,
  },
})
