/** `wampy-ts events`: prints the meta events of a realm as they happen. */

import { WampClient } from '../client/wamp-client.ts'
import type { Id, Uri } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import { isDict } from '../protocol/validate.ts'
import { isOneOf } from '../protocol/words.ts'
import { reportLosses, whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { formatJson } from './json-value.ts'
import { isJson, printJson, printNotice, styled, toLine } from './output.ts'
import { stopOnSignals, whenAborted } from './signals.ts'

/** The second part of their topics: `wamp.session.on_join`. */
const SUBJECTS = ['session', 'registration', 'subscription'] as const

export const eventsCommand = defineCommand({
  name: 'events',
  summary: 'Prints meta events as they happen: sessions that join and leave, registrations, subscriptions.',
  rest: 'subject',
  choices: SUBJECTS,
  options: {
    topic: {
      type: 'string',
      multiple: true,
      value: 'uri',
      help: 'only this meta event, such as wamp.session.on_join; repeatable',
    },
    count: { type: 'string', value: 'n', help: 'end after this number of events (default: never)' },
    ...connectionOptions,
  },
  json: 'print lines of JSON: {"time":...,"topic":...,"args":[...],"kwargs":{...}}',
  notes: `Subjects are ${SUBJECTS.join(', ')} (default: all). A line has the time, the event without "wamp.", the session and what
happened. The line "watching <realm>" on stderr means that events arrive from now on. A loss is reported there, and the command
reconnects; what happened in between is not printed. SIGINT, SIGTERM and a reader that closes the pipe end the command with exit
code 0.`,
  examples: ['wampy-ts events', 'wampy-ts events session', 'wampy-ts events --topic wamp.session.on_leave --json'],
  async run(values, subjects) {
    const target = connectionTarget(values)
    for (const subject of subjects) {
      if (!isOneOf(SUBJECTS, subject)) throw usageFailure(`a subject is ${SUBJECTS.join(', ')}, got "${subject}"`)
    }
    let remaining = values.count === undefined ? Number.POSITIVE_INFINITY : integerOption('count', values.count, 1)
    const wanted = (topic: Uri): boolean =>
      (!values.topic || values.topic.includes(topic)) &&
      (subjects.length === 0 || subjects.some((subject) => topic.startsWith(`wamp.${subject}.`)))
    const stop = stopOnSignals()
    process.stdout.on('error', () => stop.abort())
    const client = new WampClient({ ...target.options, name: 'wampy-ts events', roles: ['subscriber'] })
    const stopped = whenStopped(client)
    const uris = new Map<Id, string>()
    try {
      await startClient(client, target, stop.signal)
      reportLosses(client, target, printNotice)
      const print = (args: List, kwargs: Dict, { topic }: { readonly topic: Uri }): void => {
        const text = describeMetaEvent(args, kwargs, topic, uris)
        if (!wanted(topic) || remaining-- <= 0 || stop.signal.aborted) return
        const time = new Date().toISOString()
        if (isJson()) printJson({ time, topic, args, kwargs })
        else process.stdout.write(`${styled('dim', time)}  ${paintTopic(topic)}  ${text}\n`)
        if (remaining === 0) stop.abort()
      }
      await client.subscribe('wamp.', print, { match: 'prefix', signal: stop.signal })
      printNotice(`watching ${target.realm} at ${target.url}`)
      await Promise.race([whenAborted(stop.signal), stopped])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop()
    }
  },
})

const WIDEST = 'subscription.on_unsubscribe'.length

function paintTopic(topic: Uri): string {
  const name = oneLine(topic.replace(/^wamp\./, '')).padEnd(WIDEST)
  if (/\.on_(join|create)$/.test(topic)) return styled('green', name)
  return /\.on_(leave|delete)$/.test(topic) ? styled('red', name) : name
}

/** The event in words; `uris` keeps the URIs of registrations and subscriptions that were created meanwhile. */
function describeMetaEvent(args: List, kwargs: Dict, topic: Uri, uris: Map<Id, string>): string {
  const [first, second] = args
  const [, subject = '', what] = /^wamp\.(\w+)\.on_(\w+)$/.exec(topic) ?? []
  if (what === 'join' && isDict(first)) {
    const { session, authid, authrole, authmethod } = first
    return oneLine(`session ${formatJson(session)}  authid ${authid}  role ${authrole}  ${authmethod ?? ''}`)
  }
  if (what === 'leave') {
    const [session, authid, authrole] = args
    const who = authid === undefined ? '' : `  authid ${authid}  role ${authrole}`
    return oneLine(`session ${formatJson(session)}${who}`)
  }
  if (what === 'create' && isDict(second)) {
    const { id, uri, match, invoke } = second
    uris.set(id as Id, String(uri))
    const policies = [match, invoke].filter((policy) => policy !== undefined).join(' ')
    return oneLine(`session ${formatJson(first)}  ${subject} ${formatJson(id)}  ${uri}  ${policies}`)
  }
  if (isOneOf(SUBJECTS, subject) && typeof second === 'number') {
    const uri = uris.get(second)
    if (what === 'delete') uris.delete(second)
    return oneLine(`session ${formatJson(first)}  ${subject} ${second}${uri === undefined ? '' : `  ${uri}`}`)
  }
  return oneLine(`${formatJson(args)}${Object.keys(kwargs).length > 0 ? ` ${formatJson(kwargs)}` : ''}`)
}

const oneLine = (text: string): string => toLine(text).slice(0, -1)
