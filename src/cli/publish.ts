/** `wampy-ts publish`: publishes one event, acknowledged by the broker. */

import { WampClient } from '../client/wamp-client.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { kwargsOption, readPayload, VALUES } from './json-value.ts'
import { isJson, printJson } from './output.ts'

export const publishCommand = defineCommand({
  name: 'publish',
  summary: 'Publishes an event and waits for the acknowledgement of the router.',
  required: ['topic'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    verbose: { type: 'boolean', help: 'print the id of the publication' },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for the router (default: no limit)' },
    ...connectionOptions,
  },
  json: 'print {"publication":...}',
  notes: `${VALUES}
On success it prints nothing. An error prints "uri: message" on stderr, with exit code 1.`,
  examples: [
    'wampy-ts publish com.example.tick 1',
    `wampy-ts publish com.example.alarm '"fire"' --kwargs '{"floor":3}'`,
    'wampy-ts publish com.example.photo - <photo.jpg',
  ],
  async run(values, [topic = '', ...operands]) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    const { args, kwargs } = await readPayload(operands, values.kwargs)
    const client = new WampClient({ ...target.options, name: 'wampy-ts publish', roles: ['publisher'] })
    await startClient(client, target)
    try {
      const id = await client.publish(topic, args, kwargs, { acknowledge: true, timeout })
      if (isJson()) printJson({ publication: id })
      else if (values.verbose) process.stdout.write(`${id}\n`)
    } finally {
      await client.stop()
    }
  },
})
