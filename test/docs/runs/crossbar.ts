import type { Uses } from '../use.ts'

export default {
  'client.ts': { testedBy: 'test/crossbar/page.test.ts' },
  'config.json': { testedBy: 'test/crossbar/page.test.ts' },
  'authenticator.ts': { prints: /^\{ realm: 'realm1', authid: 'joe', role: 'user' \}\n$/ },
  'start.sh': { compiled: 'it installs Crossbar.io; the tests in test/crossbar start an installed one' },
} satisfies Uses
