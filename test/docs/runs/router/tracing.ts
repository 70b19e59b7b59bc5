import type { Uses } from '../../use.ts'

export default {
  'forward.ts': { prints: /^0\n$/ },
  'page.ts': { compiled: 'it belongs to a page' },
  'shop.ts': { prints: /'com.example.shop.price'[\s\S]*\]\ntraces: 1\n$/ },
} satisfies Uses
