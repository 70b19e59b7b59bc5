import type { Uses } from '../use.ts'

export default {
  'streams.ts': { prints: /1\n2\n3\ndone\ndone\n142\n[\s\S]*the callee was told[\s\S]*/ },
} satisfies Uses
