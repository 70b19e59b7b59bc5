import type { Uses } from '../use.ts'

export default {
  'vite.config.js': { compiled: 'the projects in test/toolchains have such a file' },
  'weather-service.ts': { compiled: 'starts nothing' },
  'weather-page.ts': { compiled: 'a page that runs until it is closed' },
} satisfies Uses
