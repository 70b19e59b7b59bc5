/** The last event of each topic that its publisher wanted retained, for those who subscribe later. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy, WireEventDetails, WirePublishOptions } from '../../protocol/options.ts'
import type { Payload } from '../../protocol/payload.ts'
import { matches } from '../../protocol/uri.ts'
import type { Destination } from '../member/destination.ts'
import type { RouterLimits } from '../member/limits.ts'
import { weightOf } from '../member/payload-size.ts'
import { Audience, namesPrincipals } from './audience.ts'

/** An event as it is given out again. */
export interface Retained {
  readonly topic: Uri
  readonly publication: Id
  readonly details: WireEventDetails
  readonly payload: Payload | undefined
}

interface Kept extends Retained {
  readonly weight: number
  /** None where anybody may have it. */
  readonly audience: Audience | undefined
  /** The session that would not have heard it, for it published it itself. */
  readonly except: Id | undefined
}

/** At most two for a topic: the last one for anybody, and the last one for some if that is newer. */
type Topic = readonly [newest: Kept] | readonly [newest: Kept, older: Kept]

export class RetainedEvents {
  readonly #limits: Pick<RouterLimits, 'retained' | 'retainedBytes'>
  /** Oldest first. */
  readonly #topics = new Map<Uri, Topic>()
  #bytes = 0

  constructor(limits: Pick<RouterLimits, 'retained' | 'retainedBytes'>) {
    this.#limits = limits
  }

  /** Topics that have a retained event. */
  get size(): number {
    return this.#topics.size
  }

  /** Keeps an event in place of what it outdates. One that names sessions must not come here: they do not last. */
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
    // What is too great is not kept, and neither is what it makes out of date.
    if (kept.weight <= this.#limits.retainedBytes) this.#add(event.topic, open ? [kept, open] : [kept])
    while (this.#bytes > this.#limits.retainedBytes || this.#topics.size > this.#limits.retained) this.#forgetOldest()
  }

  /** What a member that subscribes is given: for each topic the newest event that it would have been sent. */
  *of(uri: Uri, match: MatchPolicy, member: Destination): IterableIterator<Retained> {
    for (const topic of this.#matching(uri, match)) {
      const event = topic.find(({ audience }) => !audience || audience.admits(member))
      if (event && event.except !== member.id) yield event
    }
  }

  *#matching(uri: Uri, match: MatchPolicy): IterableIterator<Topic> {
    if (match === 'exact') {
      const topic = this.#topics.get(uri)
      if (topic) yield topic
      return
    }
    // Whoever is sent one may end by it, and his last will may be retained: the map must not change under the loop.
    for (const [name, topic] of [...this.#topics]) {
      if (matches(name, uri, match)) yield topic
    }
  }

  #add(name: Uri, topic: Topic): void {
    this.#topics.set(name, topic)
    for (const { weight } of topic) this.#bytes += weight
  }

  #forget(name: Uri): void {
    for (const { weight } of this.#topics.get(name) ?? []) this.#bytes -= weight
    this.#topics.delete(name)
  }

  #forgetOldest(): void {
    for (const name of this.#topics.keys()) {
      this.#forget(name)
      return
    }
  }
}
