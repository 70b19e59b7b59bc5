import type { Uses } from '../../use.ts'

export default {
  'deploy.ts': { serves: /^behind the proxy: ws:/ },
  'nginx.conf': { testedBy: 'test/operations/nginx.ts' },
} satisfies Uses
