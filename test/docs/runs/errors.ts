import type { Uses } from '../use.ts'

export default {
  'errors.ts': { prints: /com\.example\.nobody/ },
} satisfies Uses
