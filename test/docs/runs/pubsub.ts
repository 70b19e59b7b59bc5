import type { Uses } from '../use.ts'

export default {
  'pubsub.ts': { prints: /fresh tea[\s\S]*\d+ \[[\s\S]*fresh tea[\s\S]*price: 3[\s\S]*com\.example\.news/ },
  'events.ts': { prints: /com\.example\.weather\.oslo \[ -3 \]/ },
  'history.ts': {
    prints: /^\S+Z \[ 'fresh tea' \]\n\S+Z \[ 'the writer has gone' \]\n\[ 'the writer has gone' \]\n$/,
  },
  'topics.ts': {
    prints:
      /^(?=[\s\S]*^news: fresh tea$)(?=[\s\S]*^tea 2027$)(?=[\s\S]*offers has invalid args\[1\]: )(?=[\s\S]*oslo -3\.0$)/m,
  },
} satisfies Uses
