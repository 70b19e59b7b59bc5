/** The EventEmitter of pages: the methods of eventemitter3, whose place it takes in the files for pages, in a third of the bytes. */

type EventName = string | symbol
type Listening = (...args: unknown[]) => void

interface Entry {
  readonly fn: Listening
  readonly context: unknown
  readonly once: boolean
}

export class EventEmitter {
  /** Lists are replaced, not changed, because an event may be under way in one. */
  readonly #entries = new Map<EventName, readonly Entry[]>()

  #of(event: EventName): readonly Entry[] {
    return this.#entries.get(event) ?? []
  }

  eventNames(): EventName[] {
    return [...this.#entries.keys()]
  }

  listeners(event: EventName): Listening[] {
    return this.#of(event).map(({ fn }) => fn)
  }

  listenerCount(event: EventName): number {
    return this.#of(event).length
  }

  emit(event: EventName, ...args: unknown[]): boolean {
    const entries = this.#of(event)
    for (const { fn, context, once } of entries) {
      if (once) this.off(event, fn, undefined, true)
      fn.apply(context, args)
    }
    return entries.length > 0
  }

  on(event: EventName, fn: Listening, context: unknown = this, once = false): this {
    if (typeof fn !== 'function') throw new TypeError('The listener must be a function')
    this.#entries.set(event, [...this.#of(event), { fn, context, once }])
    return this
  }

  once(event: EventName, fn: Listening, context?: unknown): this {
    return this.on(event, fn, context, true)
  }

  /** Removes the listeners that have the given function, context and kind; without a function, all of the event. */
  off(event: EventName, fn?: Listening, context?: unknown, once?: boolean): this {
    const left = this.#of(event).filter(
      (entry) => fn && (entry.fn !== fn || (once && !entry.once) || (context && entry.context !== context)),
    )
    if (left.length) this.#entries.set(event, left)
    else this.#entries.delete(event)
    return this
  }

  removeAllListeners(event?: EventName): this {
    if (event) this.#entries.delete(event)
    else this.#entries.clear()
    return this
  }

  addListener(event: EventName, fn: Listening, context?: unknown): this {
    return this.on(event, fn, context)
  }

  removeListener(event: EventName, fn?: Listening, context?: unknown, once?: boolean): this {
    return this.off(event, fn, context, once)
  }
}
