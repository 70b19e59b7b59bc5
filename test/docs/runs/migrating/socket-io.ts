import type { Uses } from '../../use.ts'

const combined = { testedBy: 'test/docs/migrating.test.ts' }

export default {
  'before-server.mjs': combined,
  'before-page.mjs': combined,
  'server.ts': combined,
  'page.ts': combined,
  'rules.ts': { prints: /^$/ },
} satisfies Uses
