/** Support for the tests of end-to-end encryption: public keys, and a manipulating router in the middle. */

import type { Connector } from 'wampy-ts'
import type { Message } from '../../src/protocol/messages.ts'

/** Returns the messages to deliver instead: none, one or several. */
export type Meddle = (message: Message, way: 'in' | 'out') => readonly Message[]

/** All messages between a client and this connector go through `meddle`. */
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

/** 32 equal bytes. */
export const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/** Waits for the turns of the event loop in which sent messages arrive. */
export const turn = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}
