import type { Uses } from '../use.ts'

export default {
  'open-shop.ts': { serves: /^the shop is open/ },
  'call.ts': { prints: /^6\n$/, with: ['calling/open-shop.ts'] },
  'services.ts': {
    prints: /^3\ncom\.example\.shop\.price getTodaysDate\n$/,
    with: ['calling/open-shop.ts'],
  },
  'calling.ts': { prints: /6[\s\S]*number: 1[\s\S]*Good morning, Ada[\s\S]*3[\s\S]*\[ 10, 20 \][\s\S]*3/ },
  'handlers.ts': { prints: /^1 2 true\n2 2 true\ncopied 2 to disk\n$/ },
} satisfies Uses
