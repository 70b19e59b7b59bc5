/** `wampy-ts repl`: opens a console with everything imported and a started client. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Client } from '../client/client.ts'
import { serve } from '../node/serve.ts'
import { Router } from '../router/router.ts'
import { reportLosses } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { runInteractively, runLines } from './console.ts'
import { defineCommand } from './define-command.ts'
import { printErrorLine } from './output.ts'

export const replCommand = defineCommand({
  name: 'repl',
  summary: 'Opens a console with this library imported and a started client.',
  options: connectionOptions,
  json: false,
  notes: `\`client\` is a started RpcClient. Everything that wampy-ts exports is defined under its name, and Router and serve.
await works; .exit or Control-D leaves. Tab after client.rpc. or client.stream. lists the procedures of the realm.
The history is kept in the file that $WAMPY_HISTORY names (default: ~/.wampy-ts_history; empty: no history).
Lines may also be piped in: an error is printed, the next line runs, and the exit code is 1.`,
  examples: ['wampy-ts repl', `echo 'await client.rpc.com.example.add(1, 2)' | wampy-ts repl`],
  async run(values) {
    const target = connectionTarget(values)
    // A dynamic import: a static one would move every module into the chunk that all commands load.
    const api = await import('../index.ts')
    showOnOneLine(api.Client)
    const client = new api.RpcClient({ ...target.options, name: 'wampy-ts repl' })
    await startClient(client, target)
    reportLosses(client, target, printErrorLine)
    const { stdin: input, stdout: output } = process
    const names = { ...api, Router, serve, client }
    try {
      if (!input.isTTY) await runLines({ input, output, names })
      else {
        output.write(`client has joined ${target.realm}. Try: await client.rpc.com.example.add(1, 2)\n`)
        const history = process.env['WAMPY_HISTORY'] ?? join(homedir(), '.wampy-ts_history')
        await runInteractively({ input, output, names, client, history })
      }
    } finally {
      await client.stop()
    }
  },
})

/** Makes the console print each client as one line. Defined here, because a page does not need it. */
function showOnOneLine({ prototype }: { readonly prototype: Client }): void {
  Object.defineProperty(prototype, inspect.custom, {
    value: function (this: Client): string {
      const { name, state } = this
      const session = state === 'ready' ? `, session ${this.session.id} in ${this.session.realm}` : ''
      return `${this.constructor.name} { ${name}: ${state}${session} }`
    },
    configurable: true,
    writable: true,
  })
}
