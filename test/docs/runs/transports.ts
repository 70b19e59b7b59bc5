import type { Uses } from '../use.ts'

export default {
  'adapters.ts': { prints: /^$/ },
  'adapter.ts': { prints: /^1$/m },
} satisfies Uses
