import type { Uses } from '../use.ts'

export default {
  'secret.ts': { prints: /ordered tea/ },
} satisfies Uses
