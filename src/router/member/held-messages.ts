/** The messages of one session that wait for a decision about an earlier one: in order, and within a bound. */

import type { Message } from '../../protocol/messages.ts'
import type { Payload } from '../../protocol/payload.ts'
import { layoutOf } from '../../protocol/validate.ts'
import type { Link } from '../../session/link.ts'
import type { RouterLimits } from './limits.ts'
import { weightOf } from './payload-size.ts'

/** Reading pauses at this part of either limit. The rest is room for what was read already: a chunk, or a batch. */
const PAUSES_AT = 1 / 16

interface HeldMessage {
  readonly message: Message
  readonly weight: number
}

export class HeldMessages {
  readonly #link: Link
  readonly #limits: RouterLimits
  #messages: HeldMessage[] = []
  /** The next one: to shift a long list costs as much as it is long. */
  #first = 0
  #bytes = 0
  #paused = false

  constructor(link: Link, limits: RouterLimits) {
    this.#link = link
    this.#limits = limits
  }

  get size(): number {
    return this.#messages.length - this.#first
  }

  /** Returns the limit that the message exceeds, if it does; then it is not held. */
  add(message: Message): string | undefined {
    const weight = weightOfMessage(message)
    const { held, heldBytes } = this.#limits
    if (this.size >= held) return `${held} messages`
    if (this.#bytes + weight > heldBytes) return `messages of ${heldBytes} bytes`
    this.#messages.push({ message, weight })
    this.#bytes += weight
    if (!this.#paused && this.#fills(PAUSES_AT)) {
      this.#paused = true
      this.#link.pause?.()
    }
    return undefined
  }

  take(): Message | undefined {
    const next = this.#messages[this.#first]
    if (!next) return undefined
    this.#first++
    this.#bytes -= next.weight
    if (this.#first === this.#messages.length || this.#first > 1000) {
      this.#messages.splice(0, this.#first)
      this.#first = 0
    }
    if (this.#paused && !this.#fills(PAUSES_AT / 2)) this.#resume()
    return next.message
  }

  /** Forgets them all, and returns how many there were. */
  clear(): number {
    const { size } = this
    this.#messages = []
    this.#first = 0
    this.#bytes = 0
    this.#resume()
    return size
  }

  #fills(part: number): boolean {
    return this.size >= this.#limits.held * part || this.#bytes >= this.#limits.heldBytes * part
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#link.resume?.()
  }
}

function weightOfMessage(message: Message): number {
  const { most, payload } = layoutOf(message[0])
  const elements = message as readonly unknown[]
  return weightOf(payload ? (elements[most] as Payload | undefined) : undefined, ...elements.slice(1, most))
}
