import type { Uses } from '../use.ts'

export default {
  'reconnect.ts': { prints: /^connecting\nready\nstopped\n$/ },
  'connection.ts': { prints: /connecting[\s\S]*ready[\s\S]*realm1[\s\S]*stopped/ },
} satisfies Uses
