/** `wampy-ts describe`: prints the description of a service. */

import { RpcClient } from '../client/rpc-client.ts'
import { describedAt, type ProcedureDescription, type ServiceDescription } from '../client/service/description.ts'
import { WampError } from '../protocol/error.ts'
import { NO_SUCH_PROCEDURE } from '../protocol/names.ts'
import { isDict } from '../protocol/validate.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { Failure } from './failure.ts'
import { isJson, printJson, styled, toLine } from './output.ts'

export const describeCommand = defineCommand({
  name: 'describe',
  summary: 'Describes a service: its procedures, their parameters and docs, and its topics.',
  required: ['prefix'],
  options: {
    timeout: { type: 'string', value: 'ms', help: 'longest wait for the description (default: no limit)' },
    ...connectionOptions,
  },
  json: 'print the description as one line of JSON',
  notes: `The prefix is that of the service: the part before .wampy.describe in wampy-ts list. A procedure is followed by its
parameters: count? is optional, ...items takes all remaining arguments. "stream" marks a procedure with progressive
results, "prefix" and "wildcard" one that matches more than this URI. Topics are those that the service subscribes to.
A service describes itself if its class has "static describe = description"; for others this is an error, exit code 1.`,
  examples: ['wampy-ts describe com.example.shop', "wampy describe com.example.shop --json | jq '.procedures[].uri'"],
  async run(values, [operand = '']) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    // The URI may be given as `wampy-ts list` prints it.
    const prefix = operand.replace(/\.wampy\.describe$/, '')
    const client = new RpcClient({ ...target.options, name: 'wampy-ts describe', roles: ['caller'] })
    await startClient(client, target)
    try {
      const answer: unknown = await client.describe(prefix, { timeout }).catch((error: WampError) => {
        if (error.uri !== NO_SUCH_PROCEDURE) throw error
        throw new WampError(NO_SUCH_PROCEDURE, [
          `no service describes itself under ${prefix} (wampy-ts list prints the procedures)`,
        ])
      })
      if (!isDescription(answer)) throw new Failure(`${describedAt(prefix)} returned a value that is not a description`)
      if (isJson()) printJson(answer)
      else process.stdout.write(formatDescription(answer))
    } finally {
      await client.stop()
    }
  },
})

/** Checks what the output needs: any callee may have registered this URI. */
function isDescription(value: unknown): value is ServiceDescription {
  return (
    isDict(value) &&
    areDicts(value['topics']) &&
    areDicts(value['procedures']) &&
    value['procedures'].every(({ parameters }) => areDicts(parameters))
  )
}

function areDicts(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every(isDict)
}

function formatDescription({ service, prefix, doc, procedures, topics }: ServiceDescription): string {
  return [
    styled('bold', toLine(`${service} (${prefix})`)),
    indentLines(0, doc),
    formatSection('Procedures', procedures, formatSignature),
    formatSection('Topics', topics, ({ uri, match }) => withMarks(uri, match)),
  ].join('')
}

function formatSection<T extends { readonly doc?: string }>(
  title: string,
  all: readonly T[],
  head: (each: T) => string,
): string {
  const items = all.map((each) => indentLines(2, head(each)) + indentLines(4, each.doc))
  return items.length ? `\n${styled('bold', `${title}:`)}\n${items.join('')}` : ''
}

function formatSignature({ uri, parameters, stream, match }: ProcedureDescription): string {
  const names = parameters.map(({ name, optional, rest }) => `${rest ? '...' : ''}${name}${optional ? '?' : ''}`)
  return withMarks(`${uri}(${names.join(', ')})`, stream && 'stream', match)
}

function withMarks(text: string, ...marks: readonly (string | false | undefined)[]): string {
  return [text, ...marks.filter(Boolean)].join('  ')
}

/** Indents each line of a text by a number of spaces. */
function indentLines(by: number, text: string | undefined): string {
  if (!text) return ''
  const lines = String(text).trim().split(/\r?\n/)
  return lines.map((each) => `${' '.repeat(by)}${toLine(each)}`).join('')
}
