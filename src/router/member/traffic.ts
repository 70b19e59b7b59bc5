/** The messages that a router has received from its links and sent to them, counted by type. */

import { YIELD } from '../../protocol/codes.ts'
import type { Code } from '../../protocol/messages.ts'
import { nameOf } from '../../protocol/validate.ts'

/** The number of messages of each type that has occurred: `{ HELLO: 1, CALL: 5 }`. */
export type MessageCounts = Readonly<Record<string, number>>

/** Counted since the router was created. Calls by the router itself travel on no link and are not included. */
export interface RouterMessages {
  readonly received: MessageCounts
  readonly sent: MessageCounts
}

/** Always counted: an addition costs less than a question whether anybody wants it. */
export class Traffic {
  /** By message code; YIELD has the greatest one. */
  readonly #received = new Float64Array(YIELD + 1)
  readonly #sent = new Float64Array(YIELD + 1)

  received(code: Code): void {
    ;(this.#received[code] as number)++
  }

  sent(code: Code): void {
    ;(this.#sent[code] as number)++
  }

  stats(): RouterMessages {
    return { received: byName(this.#received), sent: byName(this.#sent) }
  }
}

function byName(counts: Float64Array): MessageCounts {
  const named: Record<string, number> = {}
  counts.forEach((count, code) => {
    if (count > 0) named[nameOf(code as Code)] = count
  })
  return named
}
