import type { Uses } from '../../use.ts'

export default {
  'rules.ts': { prints: /^1\nwamp\.error\.not_authorized\n$/ },
  'protected-router.ts': { prints: /^the shop is at ws:\/\/127\.0\.0\.1:\d+\/ws\n$/ },
} satisfies Uses
