import type { Uses } from '../use.ts'

export default {
  'calling.ts': { prints: /6[\s\S]*number: 1[\s\S]*Good morning, Ada[\s\S]*3[\s\S]*\[ 10, 20 \][\s\S]*3/ },
  'handlers.ts': { prints: /^1 2 true\n2 2 true\ncopied 2 to disk\n$/ },
  'many.ts': { prints: /^6 open\ncom\.example\.till\.open\n$/ },
} satisfies Uses
