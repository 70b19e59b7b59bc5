import type { Uses } from '../../use.ts'

export default {
  'router.ts': { prints: /ws:\/\/127\.0\.0\.1:\d+\/wamp[\s\S]*sessions: 1/ },
} satisfies Uses
