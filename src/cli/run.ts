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
import { loadService, moduleFile, serviceReference } from './service-module.ts'
import { stopOnSignals, whenAborted } from './signals.ts'
import { watchService, whenReplacing } from './watch-service.ts'

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Starts a service: a class with procedures, from a JavaScript module.',
  required: ['module[:class]'],
  options: {
    ...connectionOptions,
    watch: {
      type: 'boolean',
      help: 'start the service again when its module changes, or a file that the module imports',
    },
    drain: {
      type: 'string',
      value: 'ms',
      help: 'after a signal, the time in which calls in progress may finish; 0 for none (default: 8000)',
    },
  },
  json: 'print lines of JSON: {"registered":...}, {"subscribed":...}, {"service":...,"status":...}',
  notes: `The class extends WampClient; its constructor receives the options of a client. The name of the class may be omitted if
the module has one such class or a default export. It prints what was registered, when the router is lost and back, and the
exceptions of procedures with their stacks.
A TypeScript module needs a loader (node --import tsx node_modules/.bin/wampy-ts run ...) or to be compiled first.
SIGINT and SIGTERM end the command with exit code 0: it takes no more calls, lets those in progress finish, and sends
GOODBYE. A second signal ends it at once.
With --watch each version of the module runs in a process of its own. A new one is loaded first; then the last one finishes its calls, and
the new one registers. One that cannot be loaded is reported, and the last one goes on.`,
  examples: [
    'wampy-ts run ./date-service.mjs:DateService',
    'wampy-ts run dist/services.js:Orders --realm shop',
    'wampy-ts run ./date-service.mjs --watch',
  ],
  async run(values, [reference = '']) {
    const target = connectionTarget(values)
    const drain = values.drain === undefined || integerOption('drain', values.drain, 0, LONGEST_TIMER)
    const stop = stopOnSignals()
    if (values.watch) return watchService(moduleFile(serviceReference(reference)), stop.signal)
    const Service = await loadService(serviceReference(reference))
    let service: WampClient
    try {
      service = new Service(target.options)
    } catch (error) {
      throw new Failure(`${Service.name} could not be constructed: ${messageOf(error)}`)
    }
    await whenReplacing(stop)
    if (stop.signal.aborted) return
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
