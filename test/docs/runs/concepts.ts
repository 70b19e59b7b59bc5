import type { Uses } from '../use.ts'

export default {
  'realm.ts': { prints: /^3\nthe shop hears: fresh tea\n$/ },
  'wire.ts': {
    prints:
      /^\[ 48, 1, \{\}, 'com\.example\.shop\.price', \[ 'tea' \] \]\n\[ 68, 1, \d+, \{\}, \[ 'tea' \] \]\n\[ 70, 1, \{\}, \[ 3 \] \]\n\[ 50, 1, \{\}, \[ 3 \] \]\n$/,
  },
  'patterns.ts': {
    prints: /^exact com\.example\.price\.tea\nprefix [\s\S]*com\.example\.sugar -> prefix\n$/,
  },
} satisfies Uses
