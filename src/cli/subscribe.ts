/** `wampy subscribe`: a line of JSON for each event. */

import { WampClient } from '../client/wamp-client.ts'
import type { MatchPolicy } from '../protocol/options.ts'
import { command, whole } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { misuse, warn } from './failure.ts'
import { aborted, stopping } from './stopping.ts'
import { shown } from './value.ts'
import { ended, watched } from './watched.ts'

const POLICIES: readonly string[] = ['exact', 'prefix', 'wildcard'] satisfies MatchPolicy[]

export const subscribe = command({
  name: 'subscribe',
  summary: 'Prints the events of a topic, one line of JSON each.',
  takes: ['topic'],
  options: {
    count: { type: 'string', value: 'n', help: 'end after so many events (default: go on)' },
    match: { type: 'string', value: 'policy', help: `${POLICIES.join(', ')} (default: exact)` },
    ...connection,
  },
  notes: `A line is {"topic":...,"args":[...],"kwargs":{...},"publication":...}; bytes are text of NUL and base64.
"subscribed to <topic>" on stderr says that events arrive from now on. After a loss it reconnects and says so there.
SIGINT and SIGTERM end it with exit code 0, and so does a reader that closes the pipe.`,
  examples: [
    'wampy subscribe com.example.tick',
    'wampy subscribe com.example.tick --count 1 | jq .args',
    'wampy subscribe com.example --match prefix',
    'wampy subscribe com..tick --match wildcard',
  ],
  async run(values, [topic = '']) {
    const place = placeOf(values)
    const { match = 'exact' } = values
    if (!POLICIES.includes(match)) throw misuse(`--match must be ${POLICIES.join(', ')}, got "${match}"`)
    let left = values.count === undefined ? Number.POSITIVE_INFINITY : whole('count', values.count, 1)
    const stop = stopping()
    process.stdout.on('error', () => stop.abort())
    const client = new WampClient({ ...place.options, name: 'wampy subscribe', roles: ['subscriber'] })
    const over = ended(client)
    try {
      await started(client, place, stop.signal)
      watched(client, place, warn)
      const print = (
        args: readonly unknown[],
        kwargs: object,
        details: { topic: string; publication: number },
      ): void => {
        // More may have come in the same read.
        if (left-- <= 0 || stop.signal.aborted) return
        const { topic, publication } = details
        process.stdout.write(`${shown({ topic, args, kwargs, publication })}\n`)
        if (left === 0) stop.abort()
      }
      await client.subscribe(topic, print, {
        signal: stop.signal,
        ...(match === 'exact' ? {} : { match: match as MatchPolicy }),
      })
      warn(`subscribed to ${topic}`)
      await Promise.race([aborted(stop.signal), over])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop()
    }
  },
})
