import type { Uses } from '../use.ts'

const testedBy = 'test/docs/cli-scripting.test.ts'

export default {
  'register.sh': { testedBy },
  'call.sh': { testedBy },
  'greet.py': { testedBy },
  'greet.sh': { testedBy },
  'values.sh': { testedBy },
  'options.sh': { testedBy },
  'errors.sh': { testedBy },
  'list.sh': { testedBy },
  'load.sh': { testedBy },
  'contexts.sh': { testedBy },
} satisfies Uses
