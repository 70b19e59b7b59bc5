import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Lowers standard decorators and `await using`, which Node does not parse.
  esbuild: { target: 'es2022' },
})
