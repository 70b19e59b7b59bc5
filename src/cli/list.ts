/** `wampy list`: what can be called in a realm, a line each. */

import { RpcClient } from '../client/rpc-client.ts'
import { command, milliseconds } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { say } from './failure.ts'
import { shown } from './value.ts'

export const list = command({
  name: 'list',
  summary: 'Lists the procedures that can be called in a realm.',
  options: {
    json: { type: 'boolean', help: 'print lines of JSON: {"id":...,"uri":...,"match":...,"invoke":...,"created":...}' },
    timeout: { type: 'string', value: 'ms', help: 'how long to wait for each answer (default: no limit)' },
    ...connection,
  },
  notes: `A line is the URI, how it matches (exact, prefix or wildcard), and which of several callees is called (single, first,
last, roundrobin or random), sorted by URI. Where nothing can be called it prints nothing. A router without WAMP's
registration meta API cannot say what it offers: that is an error, with exit code 1.
What ends in .wampy.describe is a service that describes itself: see wampy describe --help.`,
  examples: ['wampy list', 'wampy list --realm shop', 'wampy list --json | jq -r .uri'],
  async run(values) {
    const place = placeOf(values)
    const timeout = milliseconds('timeout', values.timeout)
    const client = new RpcClient({ ...place.options, name: 'wampy list', roles: ['caller'] })
    await started(client, place)
    try {
      const entries = await client.entrypoints({ timeout })
      entries.sort((one, other) => (one.uri < other.uri ? -1 : 1))
      if (values.json) for (const entry of entries) process.stdout.write(`${shown(entry)}\n`)
      else aligned(entries.map(({ uri, match, invoke }) => [uri || '""', match, invoke])).forEach(say)
    } finally {
      await client.stop()
    }
  },
})

function aligned(rows: readonly (readonly string[])[]): string[] {
  // No apply: there may be more rows than a function takes arguments.
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(cell.length, all[at] ?? 0)), [])
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
}
