import type { Uses } from '../../use.ts'

const combined = { testedBy: 'test/docs/migrating.test.ts' }

export default {
  'before-service.mjs': combined,
  'before-caller.mjs': combined,
  'service.ts': combined,
  'caller.ts': combined,
} satisfies Uses
