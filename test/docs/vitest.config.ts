/** The configuration of the second half of `npm run test:docs`: every program of the documentation is compiled and run. */
import { defineConfig } from 'vitest/config'
import base, { programsOfDocs, reporters, retries } from '../../vitest.config.ts'

export default defineConfig({
  ...base,
  test: {
    include: programsOfDocs,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: retries,
    reporters,
  },
})
