import type { Uses } from '../use.ts'

export default {
  'Today.vue': { testedBy: 'e2e/snippets.spec.ts' },
} satisfies Uses
