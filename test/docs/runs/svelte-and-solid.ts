import type { Uses } from '../use.ts'

const testedBy = 'test/toolchains/svelte-and-solid/recipes.test.js'

export default {
  'Shop.svelte': { testedBy },
  'Shop.jsx': { testedBy },
  'signal-of.js': { testedBy },
} satisfies Uses
