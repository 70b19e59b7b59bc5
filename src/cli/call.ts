/** `wampy call`: one call, its result on stdout. */

import { WampClient } from '../client/wamp-client.ts'
import { command, milliseconds } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { argument, kwargs, kwargsOption, shown, VALUES } from './value.ts'

export const call = command({
  name: 'call',
  summary: 'Calls a procedure and prints its result as one line of JSON.',
  takes: ['procedure'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    raw: { type: 'boolean', help: 'print all of it: {"args":[...],"kwargs":{...},"details":{...}}' },
    timeout: { type: 'string', value: 'ms', help: 'how long to wait for the result (default: no limit)' },
    ...connection,
  },
  notes: `${VALUES}
A procedure that returns nothing prints nothing. An error prints "uri: message" on stderr, with exit code 1.`,
  examples: ['wampy call com.example.add 1 2', `wampy call com.example.move --kwargs '{"x":1,"y":-2}' --timeout 500`],
  async run(values, [procedure = '', ...args]) {
    const place = placeOf(values)
    const timeout = milliseconds('timeout', values.timeout)
    const named = kwargs(values.kwargs)
    const client = new WampClient({ ...place.options, name: 'wampy call', roles: ['caller'] })
    await started(client, place)
    try {
      const result = await client.callRaw(procedure, args.map(argument), named, { timeout })
      if (values.raw) process.stdout.write(`${shown(result)}\n`)
      else if (result.args.length) process.stdout.write(`${shown(result.args[0])}\n`)
    } finally {
      await client.stop()
    }
  },
})
