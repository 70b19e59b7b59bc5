/** Runs docs/e2e/ in Chromium against the built site, which `vitepress preview` serves. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from '@playwright/test'
import chromium from '../playwright.config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const port = Number(process.env['DOCS_PORT'] ?? 4173)

export default defineConfig({
  ...chromium,
  testDir: 'e2e',
  tsconfig: 'e2e/tsconfig.json',
  outputDir: `${root}test-results/docs`,
  use: { ...chromium.use, baseURL: `http://localhost:${port}` },
  webServer: { command: `node docs/site.mjs preview --port ${port}`, cwd: root, port, reuseExistingServer: true },
})
