/** `wampy-ts check`: reports the mistakes of a configuration, and starts nothing. */

import { readConfigFile } from './config-file.ts'
import { defineCommand } from './define-command.ts'
import { printStatus } from './output.ts'

export const checkCommand = defineCommand({
  name: 'check',
  summary: 'Checks the configuration of a router.',
  required: ['file'],
  options: {},
  json: 'print {"valid":...,"realms":...,"listeners":...}, or on stderr {"error":{"problems":[...]}}',
  notes: `Reads the file, and the files and environment variables that it names. Prints a line for each mistake on stderr, with its place
and its cure, and ends with exit code 1 if there is one. Nothing listens.`,
  examples: ['wampy-ts check router.json'],
  async run(_values, [file = '']) {
    const { config } = await readConfigFile(file)
    const { realms = [], listeners = [] } = config
    const text = `${file} is valid: ${counted(realms.length, 'realm')}, ${counted(listeners.length, 'listener')}`
    printStatus(text, { valid: file, realms: realms.length, listeners: listeners.length })
  },
})

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
