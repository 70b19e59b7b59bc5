/** The log of a command: lines on stderr, as JSON for programs or coloured for people. */

import type { Logger } from '../operations/log.ts'
import { usageFailure } from './failure.ts'
import { printErrorLine, type Style, styled } from './output.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type LogLevel = (typeof LEVELS)[number]

const FORMATS = ['json', 'pretty'] as const

const COLOURS: Readonly<Record<LogLevel, Style>> = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' }

export const LOG_OPTIONS = {
  'log-level': {
    type: 'string',
    value: 'level',
    help: `log from this level on: ${LEVELS.join(', ')} (default: no log)`,
  },
  'log-format': {
    type: 'string',
    value: 'format',
    help: `${FORMATS.join(' or ')} (default: pretty on a terminal); without --log-level it logs from info on`,
  },
} as const

/** The logger that two options of the command line ask for, if any. */
export function loggerFrom(level: string | undefined, format: string | undefined): Logger | undefined {
  if (level === undefined && format === undefined) return undefined
  const { stderr } = process
  const lowest = oneOf('log-level', LEVELS, level ?? 'info')
  const shape = oneOf('log-format', FORMATS, format ?? (stderr.isTTY ? 'pretty' : 'json'))
  const write = (each: LogLevel) => (fields: object, text: string) => {
    if (LEVELS.indexOf(each) < LEVELS.indexOf(lowest)) return
    const time = new Date().toISOString()
    if (shape === 'json') printErrorLine(JSON.stringify({ time, level: each, ...fields, msg: text }))
    else
      stderr.write(
        `${time} ${styled(COLOURS[each], each.toUpperCase().padEnd(5), stderr)} ${text}${formatFields(fields)}\n`,
      )
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function oneOf<const Word extends string>(option: string, words: readonly Word[], given: string): Word {
  const found = words.find((word) => word === given)
  if (found === undefined) throw usageFailure(`--${option} must be one of ${words.join(', ')}, got "${given}"`)
  return found
}

/** ` name=value` for each field; texts with anything but letters, digits and the marks of URIs and addresses are quoted. */
function formatFields(fields: object): string {
  return Object.entries(fields)
    .map(
      ([name, value]) =>
        ` ${name}=${typeof value === 'string' && !/^[\w.:/[\]-]+$/.test(value) ? JSON.stringify(value) : value}`,
    )
    .join('')
}
