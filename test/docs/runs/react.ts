import type { Uses } from '../use.ts'

export default {
  'Today.tsx': { testedBy: 'e2e/snippets.spec.ts' },
  'Clock.tsx': { testedBy: 'e2e/snippets.spec.ts' },
} satisfies Uses
