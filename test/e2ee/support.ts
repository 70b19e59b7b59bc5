/** What the tests of end-to-end encryption share: keys that are no secret, and a router in the middle that meddles. */

import type { Connector } from 'wampy-ts'
import type { Message } from '../../src/protocol/messages.ts'

/** Returns what is delivered instead: none, one or several. */
export type Meddle = (message: Message, way: 'in' | 'out') => readonly Message[]

/** What passes between a client and this connector goes through the hands of somebody else. */
export function meddling(connector: Connector, meddle: Meddle): Connector {
  return {
    name: connector.name,
    async connect(serializers, signal) {
      const link = await connector.connect(serializers, signal)
      return {
        get backlog() {
          return link.backlog
        },
        open: (sink) =>
          link.open({
            message: (message) => {
              for (const each of meddle(message, 'in')) sink.message(each)
            },
            failed: (error) => sink.failed(error),
            closed: (info) => sink.closed(info),
          }),
        send: (message) => {
          for (const each of meddle(message, 'out')) link.send(each)
        },
        close: (code, reason) => link.close(code, reason),
        terminate: () => link.terminate(),
      }
    },
  }
}

/** 32 bytes that all say the same. */
export const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/** Turns of the event loop in which what was sent arrives. */
export const turn = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}
