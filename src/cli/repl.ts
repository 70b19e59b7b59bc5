/** `wampy repl`: a console with everything imported and a client at hand. */

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type REPLEval, type REPLServer, start } from 'node:repl'
import { Readable } from 'node:stream'
import { serve } from '../node/serve.ts'
import { Router } from '../router/router.ts'
import { command } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { warn } from './failure.ts'
import { watched } from './watched.ts'

export const repl = command({
  name: 'repl',
  summary: 'Opens a console with this library imported and a client at hand.',
  options: connection,
  notes: `\`client\` is a started RpcClient. All that 'wampy-ts' exports is there by its name, and Router and serve.
await works; .exit or Control-D leaves. Lines may also be piped in.`,
  examples: ['wampy repl', `echo 'await client.rpc.com.example.add(1, 2)' | wampy repl`],
  async run(values) {
    const place = placeOf(values)
    // Asked for here: an import of everything would put everything into the chunk that pages share.
    const api = await import('../index.ts')
    const client = new api.RpcClient({ ...place.options, name: 'wampy repl' })
    await started(client, place)
    watched(client, place, warn)
    const { isTTY } = process.stdin
    if (isTTY) process.stdout.write(`client has joined ${place.realm}. Try: await client.rpc.com.example.add(1, 2)\n`)
    const console = start({
      prompt: isTTY ? 'wampy> ' : '',
      input: isTTY ? process.stdin : lines(process.stdin),
      output: process.stdout,
      // In another context than this program's a literal would be an instance of another Object.
      useGlobal: true,
    })
    if (!isTTY) oneByOne(console)
    process.once('SIGTERM', () => console.close())
    for (const [name, value] of Object.entries({ ...api, Router, serve, client })) {
      Object.defineProperty(console.context, name, { value, configurable: true, enumerable: true, writable: true })
    }
    await once(console, 'exit')
    await client.stop()
  },
})

function lines(input: NodeJS.ReadableStream): Readable {
  return Readable.from(
    (async function* () {
      for await (const line of createInterface({ input })) yield `${line}\n`
    })(),
  )
}

/** Reads the next line when the one before is done: the console itself goes on reading while a line awaits. */
function oneByOne(console: REPLServer): void {
  const evaluate = console.eval
  const patient: REPLEval = function (this: REPLServer, ...line) {
    // The prompt that follows the result resumes it.
    console.pause()
    evaluate.apply(this, line)
  }
  Object.assign(console, { eval: patient })
}
