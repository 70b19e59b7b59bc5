import type { Uses } from '../use.ts'

export default {
  'greeter.ts': { prints: /^Hello, Ada\n$/ },
} satisfies Uses
