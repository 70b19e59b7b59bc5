import type { Uses } from '../use.ts'

export default {
  'query.ts': { prints: /^0\n2 tea\n2\n\[ 2, 3 \]\n$/ },
  'Orders.tsx': { compiled: 'test/query/react.test.ts runs these options in components' },
  'orders.ts': { compiled: 'test/query/vue.test.ts runs these options in components' },
} satisfies Uses
