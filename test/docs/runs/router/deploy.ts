import type { Uses } from '../../use.ts'

export default {
  'nginx.conf': { testedBy: 'test/operations/nginx.ts' },
} satisfies Uses
