import type { Uses } from '../use.ts'

export default {
  'count.ts': { prints: /^1\n2\n3\n$/ },
  'streams.ts': { prints: /1\n2\n3\ndone\ndone\n142\n[\s\S]*the callee was told[\s\S]*/ },
} satisfies Uses
