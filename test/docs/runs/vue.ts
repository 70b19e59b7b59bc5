import type { Uses } from '../use.ts'

const testedBy = 'e2e/snippets.spec.ts'

export default {
  'main.js': { testedBy },
  'App.vue': { testedBy },
  'Orders.vue': { testedBy },
  'Waiting.vue': { testedBy },
} satisfies Uses
