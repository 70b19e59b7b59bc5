import type { Uses } from '../../use.ts'

export default {
  'metrics.ts': { prints: /^wampy_calls_total\{realm="realm1",outcome="result"\} 1$[\s\S]*\nok\n[\s\S]*\nready\n/m },
  'log.ts': { prints: /^session joined \{"realm":"realm1".*[\s\S]*^request refused \{.*"uri":"com.example.nobody"/m },
} satisfies Uses
