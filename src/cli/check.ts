/** `wampy-ts check`: reports the mistakes of a configuration, and starts nothing. */

import { readConfigFile } from './config-file.ts'
import { defineCommand } from './define-command.ts'
import { printLine } from './output.ts'

export const checkCommand = defineCommand({
  name: 'check',
  summary: 'Checks the configuration of a router.',
  required: ['file'],
  options: {},
  notes: `Reads the file, and the files and environment variables that it names. Prints a line for each mistake on stderr, with its place
and its cure, and ends with exit code 1 if there is one. Nothing listens.`,
  examples: ['wampy-ts check router.json'],
  async run(_values, [file = '']) {
    const { config } = await readConfigFile(file)
    const { realms = [], listeners = [] } = config
    printLine(`${file} is valid: ${counted(realms.length, 'realm')}, ${counted(listeners.length, 'listener')}`)
  },
})

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
