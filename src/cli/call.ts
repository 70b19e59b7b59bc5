/** `wampy-ts call`: calls a procedure and prints its results on stdout. */

import type { CallOptions, CallResult } from '../client/roles/caller.ts'
import { WampClient } from '../client/wamp-client.ts'
import { reportLosses } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { LOAD, loadOptions, loadPlan, runLoad } from './load.ts'
import { isJson, printJson, printNotice } from './output.ts'
import { kwargsOption, readValues, VALUES } from './payload-arguments.ts'
import { mergeOptions, optionsOption } from './wire-options.ts'

export const callCommand = defineCommand({
  name: 'call',
  summary: 'Calls a procedure and prints its result as one line of JSON, after a line for each progressive result.',
  required: ['procedure'],
  rest: 'argument',
  options: {
    kwargs: kwargsOption,
    options: optionsOption('CALL', '{"disclose_me":true}'),
    raw: { type: 'boolean', help: 'print whole results: {"args":[...],"kwargs":{...},"details":{...}}' },
    progress: {
      type: 'boolean',
      help: 'print progressive results as they arrive (the default, but for repeated calls)',
    },
    'no-progress': { type: 'boolean', help: 'ask for the final result only' },
    timeout: {
      type: 'string',
      value: 'ms',
      help: 'longest wait for the next result; without it, a router that drops answers is waited for without end',
    },
    ...loadOptions,
    ...connectionOptions,
  },
  json: 'print whole results, as --raw does, and errors as JSON',
  notes: `${VALUES}
A result without values prints nothing. An error prints "uri: message" on stderr, with exit code 1.
With --raw, a progressive result has "progress":true in its details.
${LOAD}`,
  examples: [
    'wampy-ts call com.example.add 1 2',
    `wampy-ts call com.example.move --kwargs '{"x":1,"y":-2}' --timeout 500`,
    'curl -s https://example.com/order.json | wampy-ts call com.example.order -',
    'wampy-ts call com.example.order @order.json',
    'wampy-ts call com.example.report --progress --json | jq .args[0]',
    'wampy-ts call com.example.add 1 2 --repeat 10000 --concurrency 50',
  ],
  async run(values, [procedure = '', ...operands]) {
    const target = connectionTarget(values)
    const plan = loadPlan(values)
    const { progress, 'no-progress': noProgress } = values
    if (progress && noProgress)
      throw usageFailure('--progress and --no-progress contradict each other: give one of them')
    if (plan && progress) throw usageFailure('--progress is for one call, not for --repeat, --concurrency or --rate')
    const { args, kwargs, options } = await readValues(operands, values)
    const {
      receive_progress = !plan,
      timeout,
      ...wire
    } = mergeOptions('CALL', options, {
      timeout: { flag: '--timeout', value: durationOption('timeout', values.timeout) },
      receive_progress: {
        flag: progress ? '--progress' : '--no-progress',
        value: progress || (noProgress ? false : undefined),
      },
    })
    const print = (result: CallResult): void => {
      if (values.raw || isJson()) printJson(result)
      else if (result.args.length) printJson(result.args[0])
    }
    const callOptions: CallOptions = { ...wire, ...(timeout !== undefined && { timeout: Number(timeout) }) }
    const client = new WampClient({ ...target.options, name: 'wampy-ts call', roles: ['caller'] })
    await startClient(client, target)
    try {
      if (plan) {
        const onProgress = receive_progress ? () => {} : undefined
        reportLosses(client, target, printNotice)
        await runLoad(plan, client, (signal) =>
          client.callRaw(procedure, args, kwargs, { ...callOptions, onProgress, signal, waitForReady: true }),
        )
      } else {
        const onProgress: CallOptions['onProgress'] = (args, kwargs, details) => print({ args, kwargs, details })
        print(
          await client.callRaw(procedure, args, kwargs, {
            ...callOptions,
            ...(receive_progress === true && { onProgress }),
          }),
        )
      }
    } finally {
      await client.stop()
    }
  },
})
