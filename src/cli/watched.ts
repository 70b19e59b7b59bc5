/** Tells of a client's life after it was started: lost, back, over. */

import type { WampClient } from '../client/wamp-client.ts'
import type { WampError } from '../protocol/error.ts'
import type { Place } from './connect.ts'
import { Failure, spelled } from './failure.ts'

/** Says a line for every loss and every return. */
export function watched(client: WampClient, { url, realm }: Place, tell: (text: string) => void): void {
  client.on('lost', (cause) => tell(`lost the router at ${url} (${cause.message}); reconnecting`))
  client.on('ready', ({ id }) => tell(`ready in ${realm} at ${url}, session ${id}`))
  client.on('failed', (handle, error) => tell(`${handle.uri} was refused, is tried again: ${spelled(error)}`))
}

/** Resolves when somebody stopped a client that was ready; rejects when it stopped for a reason. */
export function ended(client: WampClient): Promise<void> {
  const over = new Promise<void>((resolve, reject) => {
    client.on('stopped', (cause?: WampError) => {
      if (cause) reject(new Failure(`stopped, because trying again would not help: ${spelled(cause)}`))
      else resolve()
    })
  })
  // What failed before it is awaited is told by start().
  over.catch(() => {})
  return over
}
