/** `wampy describe`: what a service says of itself, for people. */

import { RpcClient } from '../client/rpc-client.ts'
import { describedAt, type ProcedureDescription, type ServiceDescription } from '../client/service/description.ts'
import { WampError } from '../protocol/error.ts'
import { NO_SUCH_PROCEDURE } from '../protocol/names.ts'
import { isDict } from '../protocol/validate.ts'
import { command, milliseconds } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { Failure, line } from './failure.ts'
import { shown } from './value.ts'

export const describe = command({
  name: 'describe',
  summary: 'Describes a service: its procedures, their parameters and docs, and its topics.',
  takes: ['prefix'],
  options: {
    json: { type: 'boolean', help: 'print the description as one line of JSON' },
    timeout: { type: 'string', value: 'ms', help: 'how long to wait for the description (default: no limit)' },
    ...connection,
  },
  notes: `The prefix is that of the service: what stands before .wampy.describe in wampy list. Behind a procedure are its
parameters: count? may be left out, ...items takes all that are left. "stream" says that it has results before its last,
"prefix" and "wildcard" that it answers to more than this URI. Topics are what the service listens to.
A service describes itself if its class has "static describe = description"; others are an error, with exit code 1.`,
  examples: ['wampy describe com.example.shop', "wampy describe com.example.shop --json | jq '.procedures[].uri'"],
  async run(values, [operand = '']) {
    const place = placeOf(values)
    const timeout = milliseconds('timeout', values.timeout)
    // As `wampy list` prints it.
    const prefix = operand.replace(/\.wampy\.describe$/, '')
    const client = new RpcClient({ ...place.options, name: 'wampy describe', roles: ['caller'] })
    await started(client, place)
    try {
      const said: unknown = await client.describe(prefix, { timeout }).catch((error: WampError) => {
        if (error.uri !== NO_SUCH_PROCEDURE) throw error
        throw new WampError(NO_SUCH_PROCEDURE, [
          `no service describes itself under ${prefix} (wampy list says what can be called)`,
        ])
      })
      if (!isDescription(said)) throw new Failure(`${describedAt(prefix)} answered with what is no description`)
      process.stdout.write(values.json ? `${shown(said)}\n` : page(said))
    } finally {
      await client.stop()
    }
  },
})

/** As far as it matters for a page: any callee may have registered there. */
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

function page({ service, prefix, doc, procedures, topics }: ServiceDescription): string {
  return [
    line(`${service} (${prefix})`),
    indented(0, doc),
    section('Procedures', procedures, signature),
    section('Topics', topics, ({ uri, match }) => marked(uri, match)),
  ].join('')
}

function section<T extends { readonly doc?: string }>(
  title: string,
  all: readonly T[],
  head: (each: T) => string,
): string {
  const items = all.map((each) => indented(2, head(each)) + indented(4, each.doc))
  return items.length ? `\n${title}:\n${items.join('')}` : ''
}

function signature({ uri, parameters, stream, match }: ProcedureDescription): string {
  const names = parameters.map(({ name, optional, rest }) => `${rest ? '...' : ''}${name}${optional ? '?' : ''}`)
  return marked(`${uri}(${names.join(', ')})`, stream && 'stream', match)
}

function marked(text: string, ...marks: readonly (string | false | undefined)[]): string {
  return [text, ...marks.filter(Boolean)].join('  ')
}

/** Each line of a text behind so many spaces. */
function indented(by: number, text: string | undefined): string {
  if (!text) return ''
  const lines = String(text).trim().split(/\r?\n/)
  return lines.map((each) => `${' '.repeat(by)}${line(each)}`).join('')
}
