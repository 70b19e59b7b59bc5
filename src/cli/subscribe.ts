/** `wampy-ts subscribe`: prints a line of JSON for each event. */

import { WampClient } from '../client/wamp-client.ts'
import { anyOf, isOneOf, MATCH_POLICIES } from '../protocol/words.ts'
import { reportLosses, whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { printJson, printNotice } from './output.ts'
import { readValues } from './payload-arguments.ts'
import { stopOnSignals, whenAborted } from './signals.ts'
import { mergeOptions, optionsOption } from './wire-options.ts'

export const subscribeCommand = defineCommand({
  name: 'subscribe',
  summary: 'Prints the events of a topic, one line of JSON each.',
  required: ['topic'],
  options: {
    count: { type: 'string', value: 'n', help: 'end after this number of events (default: never)' },
    options: optionsOption('SUBSCRIBE', '{"get_retained":true}'),
    match: {
      type: 'string',
      value: 'policy',
      choices: MATCH_POLICIES,
      help: `${anyOf(MATCH_POLICIES)} (default: exact)`,
    },
    ...connectionOptions,
  },
  notes: `A line is {"topic":...,"args":[...],"kwargs":{...},"publication":...}; bytes are text of NUL and base64.
The line "subscribed to <topic>" on stderr means that events arrive from now on. A loss is reported there, and the command
reconnects. SIGINT, SIGTERM and a reader that closes the pipe end the command with exit code 0.`,
  examples: [
    'wampy-ts subscribe com.example.tick',
    'wampy-ts subscribe com.example.tick --count 1 | jq .args',
    'wampy-ts subscribe com.example --match prefix',
    'wampy-ts subscribe com..tick --match wildcard',
    `wampy-ts subscribe com.example.state --options '{"get_retained":true}'`,
  ],
  async run(values, [topic = '']) {
    const target = connectionTarget(values)
    const { match } = values
    if (match !== undefined && !isOneOf(MATCH_POLICIES, match)) {
      throw usageFailure(`--match must be ${anyOf(MATCH_POLICIES)}, got "${match}"`)
    }
    const { options } = await readValues([], { options: values.options })
    const wire = mergeOptions('SUBSCRIBE', options, { match: { flag: '--match', value: match } })
    let remaining = values.count === undefined ? Number.POSITIVE_INFINITY : integerOption('count', values.count, 1)
    const stop = stopOnSignals()
    process.stdout.on('error', () => stop.abort())
    const client = new WampClient({ ...target.options, name: 'wampy-ts subscribe', roles: ['subscriber'] })
    const stopped = whenStopped(client)
    try {
      await startClient(client, target, stop.signal)
      reportLosses(client, target, printNotice)
      const print = (
        args: readonly unknown[],
        kwargs: object,
        details: { topic: string; publication: number },
      ): void => {
        // One read may bring more events than were asked for.
        if (remaining-- <= 0 || stop.signal.aborted) return
        const { topic, publication } = details
        printJson({ topic, args, kwargs, publication })
        if (remaining === 0) stop.abort()
      }
      await client.subscribe(topic, print, { ...wire, signal: stop.signal })
      printNotice(`subscribed to ${topic}`)
      await Promise.race([whenAborted(stop.signal), stopped])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop()
    }
  },
})
