/** `wampy-ts sessions`: lists the sessions of a realm, one on each line. */

import { RpcClient } from '../client/rpc-client.ts'
import type { Dict } from '../protocol/options.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { askMeta, detailsInPages, idsIn, sessionCells } from './meta-pages.ts'
import { isJson, printJson, printTable } from './output.ts'

export const sessionsCommand = defineCommand({
  name: 'sessions',
  summary: 'Lists the sessions of a realm.',
  options: {
    role: { type: 'string', multiple: true, value: 'authrole', help: 'only sessions of this role; repeatable' },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for each answer (default: no limit)' },
    ...connectionOptions,
  },
  json: 'print lines of JSON: the details of each session as the router returns them',
  notes: `A line has the id of the session, its authid, role, authentication method, transport, address and user agent, as far as the
router reveals them: one of wampy-ts shows the last two to sessions with the right to control others. The session of the command
itself is left out. The details are requested in pages of 100. A router without WAMP's session meta API, or one that does not
allow its use, is an error, with exit code 1.`,
  examples: [
    'wampy-ts sessions',
    'wampy-ts sessions --role user',
    'wampy-ts sessions --json | jq -r .authid | sort | uniq -c',
  ],
  async run(values) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout) ?? 0
    const client = new RpcClient({ ...target.options, name: 'wampy-ts sessions', roles: ['caller'] })
    await startClient(client, target)
    try {
      const answer = await askMeta(client, 'wamp.session.list', values.role ? [values.role] : [], timeout)
      const ids = idsIn(answer).filter((id) => id !== client.session.id)
      const found: Dict[] = []
      for await (const page of detailsInPages(ids, (id) => askMeta(client, 'wamp.session.get', [id], timeout))) {
        if (isJson()) page.forEach(printJson)
        else found.push(...page)
      }
      const rows = found.map((details) => {
        const { authid, authrole, authmethod, transport, peer, agent } = sessionCells(details)
        return [String(details['session']), authid, authrole, authmethod, transport, peer, agent]
      })
      printTable(rows, { head: ['SESSION', 'AUTHID', 'ROLE', 'METHOD', 'TRANSPORT', 'ADDRESS', 'AGENT'], right: [0] })
    } finally {
      await client.stop()
    }
  },
})
