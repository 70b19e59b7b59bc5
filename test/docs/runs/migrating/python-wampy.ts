import type { Uses } from '../../use.ts'

const python = { compiled: 'it needs Python and its package wampy; the page was checked with 1.1.0' }

export default {
  'date_service.py': python,
  'caller.py': python,
  'service.ts': { serves: /^ready$/m },
  'caller.ts': { prints: /^\d{4}-\d\d-\d\d\n$/, with: ['migrating/python-wampy/service.ts'] },
} satisfies Uses
