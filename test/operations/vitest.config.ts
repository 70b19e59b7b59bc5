/** The configuration of `npm run test:operations`: what needs the tools of an operator, one file at a time. */
import { defineConfig } from 'vitest/config'
import base, { reporters, retries } from '../../vitest.config.ts'

export default defineConfig({
  ...base,
  test: {
    include: ['test/operations/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 30_000,
    retry: retries,
    reporters,
  },
})
