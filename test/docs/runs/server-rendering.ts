import type { Uses } from '../use.ts'

export default {
  'render.tsx': {
    prints: /^<time class="stopped">\d{4}-\d\d-\d\d<\/time>\n$/,
    with: ['getting-started/service.ts'],
  },
  'page.tsx': { compiled: 'test/toolchains/next builds and renders a server component with a call' },
  'page.server.ts': { compiled: 'test/toolchains/sveltekit builds and renders a load function with a call' },
} satisfies Uses
