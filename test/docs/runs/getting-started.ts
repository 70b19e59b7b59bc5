import type { Uses } from '../use.ts'

export default {
  'service.ts': { serves: /^DateService answers on ws:/ },
  'caller.ts': { prints: /^\d{4}-\d\d-\d\d\n$/, with: ['getting-started/service.ts'] },
  'run.sh': { testedBy: 'test/docs/project.ts' },
  'page.html': { testedBy: 'e2e/snippets.spec.ts' },
  'session.ts': { prints: /^\d+\nMap\(1\) \{[\s\S]*'getTodaysDate'[\s\S]*\}\n\d{4}-\d\d-\d\d\n$/ },
} satisfies Uses
