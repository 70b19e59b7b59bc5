/** `wampy-ts convert`: translates a configuration of Crossbar.io. */

import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { problemText } from '../config/config-problems.ts'
import { type Converted, convertCrossbar } from '../config/convert.ts'
import { defineCommand } from './define-command.ts'
import { Failure, messageOf } from './failure.ts'
import { printNotice } from './output.ts'

export const convertCommand = defineCommand({
  name: 'convert',
  summary: 'Translates the configuration of a Crossbar.io router.',
  required: ['file'],
  options: {},
  json: 'print the parts without a counterpart as JSON too',
  notes: `Prints the configuration for "wampy-ts router --config" on stdout, and a line on stderr for each part without a counterpart.
Check the result with "wampy-ts check".`,
  examples: ['wampy-ts convert .crossbar/config.json > router.json'],
  async run(_values, [file = '']) {
    let converted: Converted
    try {
      converted = await convertCrossbar(parse(await readFile(file, 'utf8')))
    } catch (error) {
      throw new Failure(`${file} cannot be converted: ${messageOf(error)}`)
    }
    const $schema = 'https://unpkg.com/wampy-ts/dist/router.schema.json'
    process.stdout.write(`${JSON.stringify({ $schema, ...converted.config }, null, 2)}\n`)
    for (const problem of converted.leftOut) printNotice(`left out: ${problemText(problem)}`)
  },
})
