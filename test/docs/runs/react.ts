import type { Uses } from '../use.ts'

const testedBy = 'e2e/snippets.spec.ts'

export default {
  'App.tsx': { testedBy },
  'Orders.tsx': { testedBy },
  'Baking.tsx': { testedBy },
  'Guarded.tsx': { testedBy },
  'client.js': { testedBy },
} satisfies Uses
