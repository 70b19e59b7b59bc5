/** Retained events: the last event of each topic whose publisher asked for it, for later subscribers. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED } from '../../protocol/names.ts'
import type { MatchPolicy, WireEventDetails, WirePublishOptions } from '../../protocol/options.ts'
import type { Payload } from '../../protocol/payload.ts'
import { matches } from '../../protocol/uri.ts'
import type { Destination } from '../member/destination.ts'
import type { Consumer, Ledger } from '../member/ledger.ts'
import type { RouterLimits } from '../member/limits.ts'
import { weightOf } from '../member/payload-size.ts'
import { Refusal } from '../member/refusal.ts'
import { Audience, namesPrincipals } from './audience.ts'

/** A retained event. */
export interface Retained {
  readonly topic: Uri
  readonly publication: Id
  readonly details: WireEventDetails
  readonly payload: Payload | undefined
}

interface Kept extends Retained {
  readonly weight: number
  /** Undefined if every subscriber may receive it. */
  readonly audience: Audience | undefined
  /** The publisher's session, which does not receive its own event. */
  readonly except: Id | undefined
}

/** At most two events for a topic: the last for all, and the last for a restricted audience if that is newer. */
type Topic = readonly [newest: Kept] | readonly [newest: Kept, older: Kept]

export class RetainedEvents implements Consumer {
  readonly #limits: Pick<RouterLimits, 'retained' | 'retainedBytes'>
  readonly #ledger: Ledger
  readonly #shed: (uri: Uri) => void
  /** Oldest first. */
  readonly #topics = new Map<Uri, Topic>()
  #bytes = 0

  /** `shed` is called for each topic whose event is discarded because the router's bytes exceed their limit. */
  constructor(limits: Pick<RouterLimits, 'retained' | 'retainedBytes'>, ledger: Ledger, shed: (uri: Uri) => void) {
    this.#limits = limits
    this.#ledger = ledger
    this.#shed = shed
    ledger.add(this)
  }

  measure(): number {
    return this.#bytes
  }

  /** Discards the oldest events. */
  shed(bytes: number): number {
    const before = this.#bytes
    for (const name of this.#topics.keys()) {
      if (before - this.#bytes >= bytes) break
      this.#forget(name)
      this.#shed(name)
    }
    return before - this.#bytes
  }

  /** The number of topics with a retained event. */
  get size(): number {
    return this.#topics.size
  }

  /** The refusal of an event that is too large to be retained. */
  refuse({ topic, payload }: Retained, options: WirePublishOptions): Refusal | undefined {
    const { retainedBytes } = this.#limits
    if (weightOf(payload, topic, options) <= retainedBytes) return undefined
    return new Refusal(LIMIT_EXCEEDED, `the retained events of a realm may have at most ${retainedBytes} bytes`)
  }

  /** Retains an event in place of older ones. An event that names sessions must not be passed: sessions end. */
  keep(event: Retained, options: WirePublishOptions, publisher: Id): void {
    const kept: Kept = {
      ...event,
      details: { ...event.details, retained: true },
      weight: weightOf(event.payload, event.topic, options),
      audience: namesPrincipals(options) ? new Audience(options) : undefined,
      except: options.exclude_me === false ? undefined : publisher,
    }
    const before = this.#topics.get(event.topic)
    this.#forget(event.topic)
    const open = kept.audience && before?.find(({ audience }) => !audience)
    this.#add(event.topic, open ? [kept, open] : [kept])
    while (this.#bytes > this.#limits.retainedBytes || this.#topics.size > this.#limits.retained) this.#forgetOldest()
  }

  /** The events for a new subscriber: for each topic the newest one that it would have received. */
  *of(uri: Uri, match: MatchPolicy, member: Destination): IterableIterator<Retained> {
    for (const topic of this.#matching(uri, match)) {
      const event = topic.find(({ audience, except }) => except !== member.id && (!audience || audience.admits(member)))
      if (event) yield event
    }
  }

  *#matching(uri: Uri, match: MatchPolicy): IterableIterator<Topic> {
    if (match === 'exact') {
      const topic = this.#topics.get(uri)
      if (topic) yield topic
      return
    }
    // Sending an event may end its receiver, whose testament may be retained: the map must not change under the loop.
    for (const [name, topic] of [...this.#topics]) {
      if (matches(name, uri, match)) yield topic
    }
  }

  #add(name: Uri, topic: Topic): void {
    this.#topics.set(name, topic)
    for (const { weight } of topic) this.#change(weight)
  }

  #change(bytes: number): void {
    this.#bytes += bytes
    this.#ledger.change('retained', bytes)
  }

  #forget(name: Uri): void {
    for (const { weight } of this.#topics.get(name) ?? []) this.#change(-weight)
    this.#topics.delete(name)
  }

  #forgetOldest(): void {
    for (const name of this.#topics.keys()) {
      this.#forget(name)
      return
    }
  }
}
