/** Reports on a client that was started: lost, ready again, stopped. */

import type { Client } from '../client/client.ts'
import type { WampError } from '../protocol/error.ts'
import type { ConnectionTarget } from './connect.ts'
import { Failure, formatError } from './failure.ts'

/** Prints a line for every loss, every rejoin and every refusal on a rejoin. */
export function reportLosses(client: Client, { url, realm }: ConnectionTarget, print: (text: string) => void): void {
  client.on('lost', (cause) => print(`lost the router at ${url} (${cause.message}); reconnecting`))
  client.on('ready', ({ id }) => print(`ready in ${realm} at ${url}, session ${id}`))
  client.on('failed', (handle, error) => print(`${handle.uri} was refused and will be retried: ${formatError(error)}`))
}

/** Resolves when `stop()` stopped a client that was ready; rejects when the client stopped because of an error. */
export function whenStopped(client: Client): Promise<void> {
  const stopped = new Promise<void>((resolve, reject) => {
    client.on('stopped', (cause?: WampError) => {
      if (cause) reject(new Failure(`stopped, because trying again would not help: ${formatError(cause)}`))
      else resolve()
    })
  })
  // A failure before the first join is thrown by start().
  stopped.catch(() => {})
  return stopped
}
