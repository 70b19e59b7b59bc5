/** `wampy-ts list`: lists the procedures of a realm, one on each line. */

import { RpcClient } from '../client/rpc-client.ts'
import { anyOf, INVOKE_POLICIES, MATCH_POLICIES } from '../protocol/words.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { isJson, printJson, printTable } from './output.ts'

export const listCommand = defineCommand({
  name: 'list',
  summary: 'Lists the procedures that can be called in a realm.',
  options: {
    timeout: { type: 'string', value: 'ms', help: 'longest wait for each answer (default: no limit)' },
    ...connectionOptions,
  },
  json: 'print lines of JSON: {"id":...,"uri":...,"match":...,"invoke":...,"created":...}',
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
      if (isJson()) entries.forEach(printJson)
      else {
        const rows = entries.map(({ uri, match, invoke }) => [uri || '""', match, invoke])
        printTable(rows, { head: ['PROCEDURE', 'MATCH', 'INVOKE'] })
      }
    } finally {
      await client.stop()
    }
  },
})
