import { cert, key } from '../../../node/certificate.ts'
import type { Uses } from '../../use.ts'

export default {
  'Login.tsx': { testedBy: 'e2e/login.spec.ts' },
  'login.html': { testedBy: 'e2e/login.spec.ts' },
  'login-router.ts': { testedBy: 'e2e/login.spec.ts' },
  'auth-anonymous.ts': { prints: /^guest\n$/ },
  'auth-ticket.ts': { prints: /^joe user\n$/ },
  'auth-jwt.ts': { prints: /^joe jwt\n$/ },
  'auth-wampcra.ts': { prints: /^joe wampcra\n$/ },
  'auth-scram.ts': { prints: /^joe wamp-scram\n$/ },
  'auth-cryptosign.ts': { prints: /^joe cryptosign\n$/ },
  'auth-cookie.ts': { prints: /^joe cookie\n$/ },
  'auth-tls.ts': { prints: /^joe tls\n$/, files: { 'key.pem': key, 'cert.pem': cert, 'ca.pem': cert } },
  'pin.ts': { prints: /^joe user pin\n$/ },
} satisfies Uses
