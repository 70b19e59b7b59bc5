/** The router as a destination of its own dealer: the callee of its procedures, or the caller of others. */

import type { Message } from '../../protocol/messages.ts'
import type { DealerRecord } from '../rpc/dealer-record.ts'
import type { Destination } from './destination.ts'
import { NO_DEVIATIONS } from './peers.ts'

/** It supports neither calls in parts, nor passthru mode, nor INTERRUPT, and needs no decision. */
export abstract class RouterDestination implements Destination {
  readonly id = 0
  readonly principal = undefined
  readonly internal = undefined
  readonly trusted = true
  readonly staticPrincipal = true
  readonly account = undefined
  readonly deviations = NO_DEVIATIONS
  readonly behind = false
  readonly kind = undefined
  pubsub: undefined
  rpc: DealerRecord | undefined

  abstract send(message: Message): void

  announces(): boolean {
    return false
  }

  // Never used: nothing that it sends is decided, and it receives no events.
  hold(): void {}
  prepare(): void {}
  write(): boolean {
    return false
  }
}
