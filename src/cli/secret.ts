/** `wampy-ts secret`: derives from a password what a router stores. */

import { text } from 'node:stream/consumers'
import { randomBytes, toHex } from '../auth/bytes.ts'
import { scramSecret } from '../auth/scram.ts'
import { deriveCraKey } from '../auth/wampcra.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { Failure, messageOf, usageFailure } from './failure.ts'

const METHODS = ['wamp-scram', 'scram', 'wampcra']

export const secretCommand = defineCommand({
  name: 'secret',
  summary: 'Derives from a password what a router stores of it.',
  options: {
    method: { type: 'string', value: 'name', choices: METHODS, help: `${METHODS.join(', ')} (default: wamp-scram)` },
    kdf: { type: 'string', value: 'name', help: 'for SCRAM: pbkdf2 or argon2id13 (default: pbkdf2)' },
    iterations: { type: 'string', value: 'n', help: 'the cost (default: 100000 for pbkdf2, 3 for argon2id13)' },
    memory: { type: 'string', value: 'KiB', help: 'for argon2id13 (default: 65536)' },
  },
  notes: `Reads the password from the terminal, without showing it, or from standard input. Prints one line of JSON: the secret of a
principal of scramAuth or wampcraAuth.`,
  examples: ['wampy-ts secret', 'wampy-ts secret --method wampcra < password.txt'],
  async run({ method = 'wamp-scram', kdf = 'pbkdf2', iterations, memory }) {
    if (!METHODS.includes(method)) throw usageFailure(`--method must be ${METHODS.join(', ')}, got "${method}"`)
    if (kdf !== 'pbkdf2' && kdf !== 'argon2id13') throw usageFailure(`--kdf must be pbkdf2 or argon2id13, got "${kdf}"`)
    const count = iterations === undefined ? undefined : integerOption('iterations', iterations, 1, 10_000_000)
    const kib = memory === undefined ? undefined : integerOption('memory', memory, 8, 2 ** 22)
    const password = await readPassword()
    if (password === '') throw new Failure('the password is empty')
    try {
      const secret =
        method === 'wampcra'
          ? await craSecret(password, count ?? 100_000)
          : await scramSecret(password, {
              kdf,
              ...(count !== undefined && { iterations: count }),
              ...(kib !== undefined && { memory: kib }),
              ...(method === 'scram' && { dialect: 'crossbar' as const }),
            })
      process.stdout.write(`${JSON.stringify(secret)}\n`)
    } catch (error) {
      throw new Failure(messageOf(error))
    }
  },
})

async function craSecret(password: string, iterations: number): Promise<object> {
  const cost = { salt: toHex(randomBytes(16)), iterations, keylen: 32 }
  return { secret: await deriveCraKey(password, cost), ...cost }
}

/** One line, without its end. */
async function readPassword(): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return (await text(stdin)).replace(/\r?\n$/, '')
  // Before the prompt: whatever is typed behind it must not be shown.
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  process.stderr.write('Password: ')
  let typed = ''
  try {
    for await (const chunk of stdin) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return typed
        // Ctrl-C and Ctrl-D.
        if (character === '\u0003' || character === '\u0004') throw new Failure('no password was typed')
        typed = character === '\u007f' || character === '\b' ? [...typed].slice(0, -1).join('') : typed + character
      }
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    process.stderr.write('\n')
  }
}
