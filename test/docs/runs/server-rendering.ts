import type { Uses } from '../use.ts'

export default {
  'page.tsx': { compiled: 'render.tsx renders it' },
  'Today.tsx': { compiled: 'render.tsx renders it' },
  'render.tsx': {
    prints: /^<p id="date">\d{4}-\d\d-\d\d<\/p>\n$/,
    with: ['getting-started/service.ts'],
  },
  'as-visitor.ts': { compiled: 'a function; router/authenticate/auth-cookie.ts runs such a login' },
  'today.js': { compiled: 'it needs Nuxt' },
  'plugin.js': { compiled: 'it needs Nuxt; test/toolchains/nuxt has the same plugin' },
  'index.vue': { compiled: 'it needs Nuxt' },
  'nuxt.config.js': { compiled: 'it needs Nuxt' },
  '+page.server.ts': { compiled: 'it needs SvelteKit; test/toolchains/sveltekit has such a page' },
  '+page.svelte': { compiled: 'it needs SvelteKit; test/toolchains/sveltekit has such a page' },
} satisfies Uses
