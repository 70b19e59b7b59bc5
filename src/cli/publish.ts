/** `wampy-ts publish`: publishes one event, acknowledged by the broker. */

import type { PublishOptions } from '../client/roles/publisher.ts'
import { WampClient } from '../client/wamp-client.ts'
import { reportLosses } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { LOAD, loadOptions, loadPlan, runLoad } from './load.ts'
import { isJson, printJson, printNotice } from './output.ts'
import { kwargsOption, readValues, VALUES } from './payload-arguments.ts'
import { mergeOptions, optionsOption } from './wire-options.ts'

export const publishCommand = defineCommand({
  name: 'publish',
  summary: 'Publishes an event and waits for the acknowledgement of the router.',
  required: ['topic'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    options: optionsOption('PUBLISH', '{"retain":true}'),
    verbose: { type: 'boolean', help: 'print the id of the publication' },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for the router (default: no limit)' },
    ...loadOptions,
    ...connectionOptions,
  },
  json: 'print {"publication":...}',
  notes: `${VALUES}
On success it prints nothing. An error prints "uri: message" on stderr, with exit code 1.
${LOAD}`,
  examples: [
    'wampy-ts publish com.example.tick 1',
    `wampy-ts publish com.example.alarm '"fire"' --kwargs '{"floor":3}'`,
    'wampy-ts publish com.example.photo @photo.jpg',
    `wampy-ts publish com.example.state @state.json --options '{"retain":true,"eligible_authrole":["clerk"]}'`,
    'wampy-ts publish com.example.tick --rate 10/s --repeat 100',
  ],
  async run(values, [topic = '', ...operands]) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    const plan = loadPlan(values)
    const { args, kwargs, options } = await readValues(operands, values)
    const { acknowledge = true, ...wire } = mergeOptions('PUBLISH', options)
    if (!acknowledge) {
      const other = plan ? '--repeat, --concurrency and --rate' : values.verbose ? '--verbose' : undefined
      if (other)
        throw usageFailure(`"acknowledge":false in --options contradicts ${other}, which needs an acknowledgement`)
    }
    const publishOptions: PublishOptions = { ...wire, acknowledge: Boolean(acknowledge), timeout }
    const client = new WampClient({ ...target.options, name: 'wampy-ts publish', roles: ['publisher'] })
    await startClient(client, target)
    try {
      if (plan) {
        reportLosses(client, target, printNotice)
        await runLoad(plan, client, (signal) =>
          client.publish(topic, args, kwargs, { ...publishOptions, signal, waitForReady: true }),
        )
        return
      }
      const id = await client.publish(topic, args, kwargs, publishOptions)
      if (isJson()) printJson({ publication: id ?? null })
      else if (values.verbose) process.stdout.write(`${id}\n`)
    } finally {
      await client.stop()
    }
  },
})
