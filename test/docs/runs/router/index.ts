import type { Uses } from '../../use.ts'

export default {
  'serve.ts': { serves: /^a router at ws:/ },
  'router.ts': { prints: /ws:\/\/127\.0\.0\.1:\d+\/wamp[\s\S]*sessions: 1/ },
} satisfies Uses
