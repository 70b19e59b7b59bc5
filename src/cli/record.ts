/** `wampy-ts record`: writes the events of topics to a file, as lines of JSON that `wampy-ts replay` reads. */

import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import type { EventDetails } from '../client/roles/subscriber.ts'
import { WampClient } from '../client/wamp-client.ts'
import type { Dict, List } from '../protocol/options.ts'
import { anyOf, isOneOf, MATCH_POLICIES } from '../protocol/words.ts'
import { reportLosses, whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { Failure, messageOf, usageFailure } from './failure.ts'
import { formatJson } from './json-value.ts'
import { printNotice } from './output.ts'
import { stopOnSignals, whenAborted } from './signals.ts'

export const recordCommand = defineCommand({
  name: 'record',
  summary: 'Records the events of topics as lines of JSON, for wampy-ts replay.',
  required: ['topic'],
  rest: 'topic',
  options: {
    match: {
      type: 'string',
      value: 'policy',
      choices: MATCH_POLICIES,
      help: `${anyOf(MATCH_POLICIES)} (default: exact)`,
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'file',
      help: 'the file to write; it must not exist (default: stdout)',
    },
    append: { type: 'boolean', help: 'append to the file of --output if it exists' },
    details: { type: 'boolean', help: 'also record the details of each event, such as the publisher' },
    count: { type: 'string', value: 'n', help: 'end after this number of events (default: never)' },
    ...connectionOptions,
  },
  json: 'print notices on stderr as JSON; the recording is JSON in any case',
  notes: `A line is {"time":...,"topic":...,"args":[...],"kwargs":{...}}, with the time of receipt; bytes are text of NUL and base64, and
integers keep all digits. Each line is written before the next event is read. The line "recording ..." on stderr means that
events are recorded from now on. A loss of the router is reported there, and the command reconnects; events in between are
missing. SIGINT and SIGTERM end it with exit code 0 and the number of events on stderr.`,
  examples: [
    'wampy-ts record com.example.tick -o ticks.jsonl',
    'wampy-ts record com.example --match prefix --count 1000 -o example.jsonl',
    'wampy-ts record com.example.tick | gzip >ticks.jsonl.gz',
  ],
  async run(values, topics) {
    const target = connectionTarget(values)
    const { match = 'exact', output, append, details: withDetails } = values
    if (!isOneOf(MATCH_POLICIES, match)) throw usageFailure(`--match must be ${anyOf(MATCH_POLICIES)}, got "${match}"`)
    if (append && output === undefined) throw usageFailure('--append needs --output')
    const most = values.count === undefined ? Number.POSITIVE_INFINITY : integerOption('count', values.count, 1)
    const stop = stopOnSignals()
    process.stdout.on('error', () => stop.abort())
    const client = new WampClient({ ...target.options, name: 'wampy-ts record', roles: ['subscriber'] })
    const stopped = whenStopped(client)
    let recorded = 0
    let failure: Failure | undefined
    let file: number | undefined
    const record = (args: List, kwargs: Dict, { topic, subscription: _, ...details }: EventDetails): void => {
      // One read may bring more events than were asked for.
      if (recorded >= most || stop.signal.aborted) return
      const time = new Date(performance.timeOrigin + performance.now()).toISOString()
      const line = `${formatJson({ time, topic, args, kwargs, ...(withDetails && { details }) })}\n`
      try {
        // Synchronously: a disk that is slower than the events makes the router wait, instead of filling the memory.
        if (file === undefined) process.stdout.write(line)
        else writeWhole(file, Buffer.from(line))
      } catch (error) {
        failure = new Failure(`cannot write to ${output}: ${messageOf(error)}`)
        stop.abort()
        return
      }
      if (++recorded === most) stop.abort()
    }
    try {
      await startClient(client, target, stop.signal)
      // Not before: a router that cannot be reached leaves no empty file.
      if (output !== undefined) file = openOutput(output, append)
      reportLosses(client, target, printNotice)
      const options = { signal: stop.signal, ...(match === 'exact' ? {} : { match }) }
      await Promise.all(topics.map((topic) => client.subscribe(topic, record, options)))
      printNotice(`recording ${topics.join(', ')}`)
      await Promise.race([whenAborted(stop.signal), stopped])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop()
      if (file !== undefined) closeSync(file)
    }
    printNotice(`recorded ${eventsText(recorded)}`)
    if (failure) throw failure
  },
})

export const eventsText = (count: number): string => `${count} event${count === 1 ? '' : 's'}`

function openOutput(path: string, append: boolean | undefined): number {
  try {
    return openSync(path, append ? 'a' : 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      // A device or a named pipe.
      if (!statSync(path).isFile()) return openSync(path, 'w')
      throw new Failure(`${path} exists: name another file, or add to it with --append`)
    }
    throw new Failure(`cannot write to ${path}: ${messageOf(error)}`)
  }
}

/** A write to a pipe or a full disk may be partial. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}
