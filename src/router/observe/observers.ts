/** Passes a router's events to any number of observers; none of them can disturb the router or another one. */

import { usage } from '../../protocol/error.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import type { RouterObserver } from './events.ts'

type Name = keyof RouterObserver
type Hook<Event extends Name> = RouterObserver[Event] | undefined

const EVENT_NAMES = Object.keys({
  joined: true,
  left: true,
  registered: true,
  unregistered: true,
  subscribed: true,
  unsubscribed: true,
  called: true,
  answered: true,
  published: true,
  delivered: true,
  dropped: true,
  refused: true,
  waited: true,
} satisfies Record<Name, true>) as Name[]

export interface ObserverStats {
  readonly dropped: {
    /** Events that an observer failed to handle. */
    readonly observations: number
  }
}

export const NO_OBSERVERS: ObserverStats = { dropped: { observations: 0 } }

/** One call of `observe`, shared by the realms of the router. */
export class Observation {
  readonly observer: RouterObserver
  active = true
  #reported = false

  constructor(observer: RouterObserver) {
    this.observer = observer
  }

  report(name: Name, error: unknown): void {
    if (this.#reported) return
    this.#reported = true
    console.error(`an observer of the router failed in ${name}; its further errors are only counted:`, error)
  }
}

/**
 * The observers of one realm. Each event has a field, undefined while it has no observer, so that `called?.({ ... })`
 * costs one field access and allocates no event.
 */
export class Observers {
  joined: Hook<'joined'> = undefined
  left: Hook<'left'> = undefined
  registered: Hook<'registered'> = undefined
  unregistered: Hook<'unregistered'> = undefined
  subscribed: Hook<'subscribed'> = undefined
  unsubscribed: Hook<'unsubscribed'> = undefined
  called: Hook<'called'> = undefined
  answered: Hook<'answered'> = undefined
  published: Hook<'published'> = undefined
  delivered: Hook<'delivered'> = undefined
  dropped: Hook<'dropped'> = undefined
  refused: Hook<'refused'> = undefined
  waited: Hook<'waited'> = undefined
  #observations: readonly Observation[] = []
  #failures = 0

  add(observation: Observation): void {
    this.#set([...this.#observations, observation])
  }

  delete(observation: Observation): void {
    this.#set(this.#observations.filter((each) => each !== observation))
  }

  stats(): ObserverStats {
    return { dropped: { observations: this.#failures } }
  }

  // Lists are replaced, not changed: an observer may start or stop another one from within an event.
  #set(observations: readonly Observation[]): void {
    this.#observations = observations
    const fields = this as Record<Name, ((event: never) => void) | undefined>
    for (const name of EVENT_NAMES) {
      const listening = observations.filter(({ observer }) => typeof observer[name] === 'function')
      fields[name] = listening.length === 0 ? undefined : (event) => this.#pass(listening, name, event)
    }
  }

  #pass(observations: readonly Observation[], name: Name, event: never): void {
    for (const observation of observations) {
      if (!observation.active) continue
      try {
        const returned: unknown = observation.observer[name]?.(event)
        // An async function is a legal observer for the compiler, and its rejection would end a Node process.
        if (returned instanceof Promise) returned.catch((error) => this.#failed(observation, name, error))
      } catch (error) {
        this.#failed(observation, name, error)
      }
    }
  }

  #failed(observation: Observation, name: Name, error: unknown): void {
    this.#failures++
    observation.report(name, error)
  }
}

/** Also needed with TypeScript: a misspelled event in a spread object passes the compiler. */
export function checkedObserver(observer: RouterObserver): RouterObserver {
  if (typeof observer !== 'object' || observer === null) {
    throw usage(`an observer must be an object like { left(event) { ... } }, got ${formatValue(observer)}`)
  }
  for (const name of EVENT_NAMES) {
    const handler: unknown = observer[name]
    if (handler !== undefined && typeof handler !== 'function') {
      throw usage(`${name} of an observer must be a function, got ${formatValue(handler)}`)
    }
  }
  // An instance of a class may have fields of its own.
  const prototype: unknown = Object.getPrototypeOf(observer)
  if (isDict(observer) && (prototype === null || prototype === Object.prototype)) {
    for (const key of Object.keys(observer)) {
      if (!EVENT_NAMES.includes(key as Name))
        throw usage(`a router has no event ${formatValue(key)}, but ${EVENT_NAMES.join(', ')}`)
    }
  }
  return observer
}
