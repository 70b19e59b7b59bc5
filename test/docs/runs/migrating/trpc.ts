import type { Uses } from '../../use.ts'

const combined = { testedBy: 'test/docs/migrating.test.ts' }

export default {
  'before-server.ts': combined,
  'before-client.ts': combined,
  'server.ts': combined,
  'client.ts': combined,
} satisfies Uses
