import type { Uses } from '../use.ts'

export default {
  'world.ts': { prints: /3[\s\S]*\[/ },
} satisfies Uses
