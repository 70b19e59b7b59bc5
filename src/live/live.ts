/** The base of the stores: a value that changes, kept up to date while it has listeners. */

/**
 * A value that changes, in the form that `useSyncExternalStore` of React, `from` of Solid and the stores of Svelte read.
 * It is at work only while it has listeners: the first one begins it, and when the last has gone it ends. Both take effect
 * a microtask later, so that an effect that is undone and done again at once, as by StrictMode or hot reload, sends nothing.
 */
export interface Live<T> {
  /** Returns the present value: the same object until the next change. */
  readonly get: () => T
  /** Calls the listener with the present value, and with every later one until the returned function is called. */
  readonly subscribe: (listener: (value: T) => void) => () => void
}

/** Begins the work of a store, which calls `set` with what has changed; returns the function that ends it. */
export type Work<T> = (set: (change: Partial<T>) => void) => () => void

/** A store. `refresh` returns the present value of one without listeners. */
export function live<T extends object>(first: T, work: Work<T>, refresh: (value: T) => T = (value) => value): Live<T> {
  let value = first
  let end: (() => void) | undefined
  let settling = false
  const listeners = new Set<() => void>()
  const set = (change: Partial<T>) => {
    const keys = Object.keys(change) as (keyof T)[]
    if (keys.every((key) => Object.is(value[key], change[key]))) return
    value = { ...value, ...change }
    for (const listener of listeners) listener()
  }
  const settle = () => {
    settling = false
    if (end && !listeners.size) {
      end()
      end = undefined
    } else if (!end && listeners.size) end = work(set)
  }
  const changed = () => {
    if (settling) return
    settling = true
    queueMicrotask(settle)
  }
  const get = () => {
    // With listeners only by `work`, which notifies them.
    if (listeners.size === 0) value = refresh(value)
    return value
  }
  return {
    get,
    subscribe(listener) {
      // Not the listener itself: one that listens twice is called twice, and leaves twice.
      const own = () => listener(value)
      get()
      listeners.add(own)
      changed()
      own()
      return () => {
        listeners.delete(own)
        changed()
      }
    },
  }
}

/** A store whose value never changes. */
export const fixed = <T extends object>(value: T): Live<T> => live(value, () => () => {})

/** The text by which a binding compares options and arguments, which a component makes anew in each render. Functions do not count. */
export function keyOf(...values: unknown[]): string {
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? { bigint: `${value}` } : value))
}
