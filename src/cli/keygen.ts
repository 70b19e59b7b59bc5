/** `wampy-ts keygen`: makes a key pair for cryptosign. */

import { writeFile } from 'node:fs/promises'
import { generateKey } from '../auth/cryptosign.ts'
import { defineCommand } from './define-command.ts'
import { Failure, messageOf } from './failure.ts'
import { printStatus } from './output.ts'

export const keygenCommand = defineCommand({
  name: 'keygen',
  summary: 'Makes a key pair for the authentication method cryptosign.',
  required: ['file'],
  options: {},
  json: 'print {"publicKey":...}',
  notes: `Writes the private key to a new file that only you can read, and prints the public key. Clients use the file
(--auth cryptosign --secret-file <file>), a router lists the public key as one of the authorized_keys of a principal.`,
  examples: ['wampy-ts keygen joe.key'],
  async run(_values, [file = '']) {
    const { privateKey, publicKey } = await generateKey()
    try {
      // Never over an existing key.
      await writeFile(file, `${privateKey}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      throw new Failure(`cannot write ${file}: ${messageOf(error)}`)
    }
    printStatus(publicKey, { publicKey })
  },
})
