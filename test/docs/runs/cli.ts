import type { Uses } from '../use.ts'

export default {
  'clock.js': { testedBy: 'test/docs/cli-session.test.ts' },
  'session.sh': { testedBy: 'test/docs/cli-session.test.ts' },
} satisfies Uses
