import { defineConfig } from 'vitest/config'
import { decorators } from 'wampy-ts/vite'

export default defineConfig({
  plugins: process.env.WITHOUT_DECORATORS ? [] : [decorators()],
})
