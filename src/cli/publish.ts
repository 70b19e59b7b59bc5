/** `wampy publish`: one event, acknowledged by the broker. */

import { WampClient } from '../client/wamp-client.ts'
import { command, milliseconds } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { argument, kwargs, kwargsOption, VALUES } from './value.ts'

export const publish = command({
  name: 'publish',
  summary: 'Publishes an event and waits until the router has taken it.',
  takes: ['topic'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    verbose: { type: 'boolean', help: 'print the id of the publication' },
    timeout: { type: 'string', value: 'ms', help: 'how long to wait for the router (default: no limit)' },
    ...connection,
  },
  notes: `${VALUES}
It prints nothing. An error prints "uri: message" on stderr, with exit code 1.`,
  examples: ['wampy publish com.example.tick 1', `wampy publish com.example.alarm '"fire"' --kwargs '{"floor":3}'`],
  async run(values, [topic = '', ...args]) {
    const place = placeOf(values)
    const timeout = milliseconds('timeout', values.timeout)
    const named = kwargs(values.kwargs)
    const client = new WampClient({ ...place.options, name: 'wampy publish', roles: ['publisher'] })
    await started(client, place)
    try {
      const id = await client.publish(topic, args.map(argument), named, { acknowledge: true, timeout })
      if (values.verbose) process.stdout.write(`${id}\n`)
    } finally {
      await client.stop()
    }
  },
})
