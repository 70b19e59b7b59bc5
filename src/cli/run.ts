/** `wampy-ts run`: starts a service and keeps it running. */

import { inspect } from 'node:util'
import type { WampClient } from '../client/wamp-client.ts'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { reportLosses, whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { Failure, messageOf } from './failure.ts'
import { formatJson } from './json-value.ts'
import { isJson, printErrorLine, printNotice, printStatus } from './output.ts'
import { loadService, serviceFile, serviceReference } from './service-module.ts'
import { stopOnSignals, whenAborted } from './signals.ts'
import { watchParent, watchService } from './watch.ts'

/** What `stop({ drain: true })` allows for calls in progress, in milliseconds. */
const DRAIN = 8000

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Starts a service: a class with procedures, from a JavaScript module.',
  required: ['module[:class]'],
  options: {
    ...connectionOptions,
    drain: {
      type: 'string',
      value: 'ms',
      help: 'after a signal, the time in which calls in progress may finish; 0 for none (default: 8000)',
    },
    watch: { type: 'boolean', help: 'start a new version when the module, or a file that it imports, changes' },
  },
  json: 'print lines of JSON: {"registered":...}, {"subscribed":...}, {"service":...,"status":...}, {"changed":...}',
  notes: `The class extends WampClient; its constructor receives the options of a client. The name of the class may be omitted if
the module has one such class or a default export. It prints what was registered, when the router is lost and back, and the
exceptions of procedures with their stacks.
A TypeScript module needs a loader (node --import tsx node_modules/.bin/wampy-ts run ...) or to be compiled first.
SIGINT and SIGTERM end the command with exit code 0: it takes no more calls, lets those in progress finish, and sends
GOODBYE. A second signal ends it at once.
With --watch a change of the module, or of a file that it imports outside of node_modules, replaces the service: a new process loads
and constructs it, the old one finishes its calls in progress and ends, and the new one registers. If the new version cannot be
loaded, the old one keeps running. The watch ends with a signal.`,
  examples: [
    'wampy-ts run ./date-service.mjs:DateService',
    'wampy-ts run dist/services.js:Orders --realm shop',
    'wampy-ts run ./date-service.mjs --watch',
  ],
  async run(values, [reference = '']) {
    const target = connectionTarget(values)
    const drain = values.drain === undefined ? DRAIN : integerOption('drain', values.drain, 0, LONGEST_TIMER)
    const stop = stopOnSignals()
    const named = serviceReference(reference)
    const parent = watchParent(stop)
    if (values.watch && !parent) return watchService(serviceFile(named), drain, stop.signal)
    const Service = await loadService(named)
    let service: WampClient
    try {
      service = new Service(target.options)
    } catch (error) {
      throw new Failure(`${Service.name} could not be constructed: ${messageOf(error)}`)
    }
    await parent?.loaded()
    const stopped = whenStopped(service)
    service.once('ready', () => printDeclarations(service))
    service.on('error', (error, procedure) => printFailure(service.name, error, procedure))
    reportLosses(service, target, (text) =>
      printStatus(`${service.name} ${text}`, { service: service.name, status: text }),
    )
    try {
      await startClient(service, target, stop.signal)
      await Promise.race([whenAborted(stop.signal), stopped])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await service.stop({ drain })
    }
  },
})

/** With its stack, even if the service has a listener or an `onError` of its own: its operator reads this. */
function printFailure(name: string, error: unknown, procedure: string | undefined): void {
  if (isJson()) {
    process.stderr.write(`${formatJson({ failed: procedure ?? null, error: inspect(error) })}\n`)
    return
  }
  printErrorLine(procedure === undefined ? `${name} reports an error:` : `${name}: ${procedure} failed:`)
  // Control characters of a peer's text stay out of the terminal, but the stack has its lines.
  process.stderr.write(`${inspect(error).replace(/[^\P{Cc}\n]+/gu, ' ')}\n`)
}

function printDeclarations({ name, registrations, subscriptions }: WampClient): void {
  for (const { uri } of registrations) printStatus(`registered ${uri}`, { registered: uri })
  for (const { uri } of subscriptions) printStatus(`subscribed to ${uri}`, { subscribed: uri })
  if (registrations.length || subscriptions.length) return
  printNotice(
    `${name} declares no procedure and no subscription: mark methods with @rpc or @subscribe, or list them in "static rpc" or "static subscribe"`,
  )
}
