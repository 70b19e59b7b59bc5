/** `wampy-ts list`: lists the procedures of a realm, one on each line. */

import { RpcClient } from '../client/rpc-client.ts'
import { anyOf, INVOKE_POLICIES, MATCH_POLICIES } from '../protocol/words.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { formatJson } from './json-value.ts'
import { printLine } from './output.ts'

export const listCommand = defineCommand({
  name: 'list',
  summary: 'Lists the procedures that can be called in a realm.',
  options: {
    json: { type: 'boolean', help: 'print lines of JSON: {"id":...,"uri":...,"match":...,"invoke":...,"created":...}' },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for each answer (default: no limit)' },
    ...connectionOptions,
  },
  notes: `A line has the URI, the match policy (${anyOf(MATCH_POLICIES)}) and the invoke policy
(${anyOf(INVOKE_POLICIES)}); lines are sorted by URI. A realm without procedures prints nothing. A router without WAMP's registration meta API
cannot list its procedures: this is an error, with exit code 1.
A URI that ends in .wampy.describe belongs to a service that describes itself: see wampy-ts describe --help.`,
  examples: ['wampy-ts list', 'wampy-ts list --realm shop', 'wampy-ts list --json | jq -r .uri'],
  async run(values) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    const client = new RpcClient({ ...target.options, name: 'wampy-ts list', roles: ['caller'] })
    await startClient(client, target)
    try {
      const entries = await client.entrypoints({ timeout })
      entries.sort((one, other) => (one.uri < other.uri ? -1 : 1))
      if (values.json) for (const entry of entries) process.stdout.write(`${formatJson(entry)}\n`)
      else alignCells(entries.map(({ uri, match, invoke }) => [uri || '""', match, invoke])).forEach(printLine)
    } finally {
      await client.stop()
    }
  },
})

function alignCells(rows: readonly (readonly string[])[]): string[] {
  // Not Math.max(...rows): there may be more rows than a function takes arguments.
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(cell.length, all[at] ?? 0)), [])
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
}
