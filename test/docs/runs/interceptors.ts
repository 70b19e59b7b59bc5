import type { Uses } from '../use.ts'

export default {
  'fake.ts': { prints: /^3\n$/ },
  'log.ts': {
    prints:
      /^serves com.example.ask by com.example.\ncalled com.example.ask: yes\npublishes com.example.news: hello\n(.|\n)*receives com.example.news: hello\n/,
  },
  'retry.ts': { prints: /^answered the call number 3\n$/ },
  'token.ts': {
    prints: /^the orders of Ada, asked for with \{"page":2\}\ncom.example.orders.list needs a token\n$/,
  },
} satisfies Uses
