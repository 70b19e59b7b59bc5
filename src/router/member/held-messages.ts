/** The messages of a session that are held, in order and within a bound, while a decision is awaited. */

import type { Message } from '../../protocol/messages.ts'
import type { Payload } from '../../protocol/payload.ts'
import { layoutOf } from '../../protocol/validate.ts'
import type { Link } from '../../session/link.ts'
import type { Account } from './ledger.ts'
import type { RouterLimits } from './limits.ts'
import { weightOf } from './payload-size.ts'

/** Reading pauses at this share of either limit. The rest is room for a chunk or batch that was already read. */
const PAUSES_AT = 1 / 16

interface HeldMessage {
  readonly message: Message
  readonly weight: number
}

export class HeldMessages {
  readonly #reading: Pick<Link, 'pause' | 'resume'>
  readonly #limits: RouterLimits
  readonly #account: Account
  #messages: HeldMessage[] = []
  /** The index of the next message: `shift` on a long list would take linear time. */
  #first = 0
  #bytes = 0
  #paused = false

  constructor(reading: Pick<Link, 'pause' | 'resume'>, limits: RouterLimits, account: Account) {
    this.#reading = reading
    this.#limits = limits
    this.#account = account
  }

  get size(): number {
    return this.#messages.length - this.#first
  }

  /** Holds a message, or returns the limit that it exceeds. */
  add(message: Message): string | undefined {
    const weight = weightOfMessage(message)
    const { held, heldBytes } = this.#limits
    if (this.size >= held) return `${held} messages`
    if (this.#bytes + weight > heldBytes) return `messages of ${heldBytes} bytes`
    this.#messages.push({ message, weight })
    this.#bytes += weight
    this.#account.charge('held', weight)
    if (!this.#paused && this.#fills(PAUSES_AT)) {
      this.#paused = true
      this.#reading.pause?.()
    }
    return undefined
  }

  take(): Message | undefined {
    const next = this.#messages[this.#first]
    if (!next) return undefined
    this.#first++
    this.#bytes -= next.weight
    this.#account.charge('held', -next.weight)
    if (this.#first === this.#messages.length || this.#first > 1000) {
      this.#messages.splice(0, this.#first)
      this.#first = 0
    }
    if (this.#paused && !this.#fills(PAUSES_AT / 2)) this.#resume()
    return next.message
  }

  /** Discards all messages and returns their number. */
  clear(): number {
    const { size } = this
    this.#messages = []
    this.#first = 0
    this.#account.charge('held', -this.#bytes)
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
    this.#reading.resume?.()
  }
}

function weightOfMessage(message: Message): number {
  const { most, payload } = layoutOf(message[0])
  const elements = message as readonly unknown[]
  return weightOf(payload ? (elements[most] as Payload | undefined) : undefined, ...elements.slice(1, most))
}
