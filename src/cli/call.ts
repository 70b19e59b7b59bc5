/** `wampy-ts call`: calls a procedure and prints its results on stdout. */

import type { CallOptions, CallResult } from '../client/roles/caller.ts'
import { WampClient } from '../client/wamp-client.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { kwargsOption, readPayload, VALUES } from './json-value.ts'
import { isJson, printJson } from './output.ts'

export const callCommand = defineCommand({
  name: 'call',
  summary: 'Calls a procedure and prints its result as one line of JSON, after a line for each progressive result.',
  required: ['procedure'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    raw: { type: 'boolean', help: 'print whole results: {"args":[...],"kwargs":{...},"details":{...}}' },
    'no-progress': { type: 'boolean', help: 'ask for the final result only' },
    timeout: {
      type: 'string',
      value: 'ms',
      help: 'longest wait for the next result; without it, a router that drops answers is waited for without end',
    },
    ...connectionOptions,
  },
  json: 'print whole results, as --raw does, and errors as JSON',
  notes: `${VALUES}
A result without values prints nothing. An error prints "uri: message" on stderr, with exit code 1.
With --raw, a progressive result has "progress":true in its details.`,
  examples: [
    'wampy-ts call com.example.add 1 2',
    `wampy-ts call com.example.move --kwargs '{"x":1,"y":-2}' --timeout 500`,
    'curl -s https://example.com/order.json | wampy-ts call com.example.order -',
  ],
  async run(values, [procedure = '', ...operands]) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    const { args, kwargs } = await readPayload(operands, values.kwargs)
    const print = (result: CallResult): void => {
      if (values.raw || isJson()) printJson(result)
      else if (result.args.length) printJson(result.args[0])
    }
    const options: CallOptions = values['no-progress']
      ? { timeout }
      : { timeout, onProgress: (args, kwargs, details) => print({ args, kwargs, details }) }
    const client = new WampClient({ ...target.options, name: 'wampy-ts call', roles: ['caller'] })
    await startClient(client, target)
    try {
      print(await client.callRaw(procedure, args, kwargs, options))
    } finally {
      await client.stop()
    }
  },
})
