import type { Uses } from '../use.ts'

export default {
  'checks.ts': { prints: /6[\s\S]*args\[0\]\.price[\s\S]*service: 'Till'[\s\S]*com\.example\.till\.total/ },
} satisfies Uses
