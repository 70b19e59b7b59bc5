/** A promise whose rejection nobody is forced to handle: its maker learns whether anybody does, and may report it. */

/** Remembers whether it was ever asked for its outcome. What `then` returns is an ordinary promise. */
class WatchedPromise<T> extends Promise<T> {
  handled = false

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // `await`, `catch`, `finally` and `Promise.all` come here too, since its constructor is not Promise.
  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<A = T, B = never>(
    resolved?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.handled = true
    return super.then(resolved, rejected)
  }
}

/** How long an unhandled rejection waits for its handler: as long as async functions need to pass the promise on. */
const TURNS = 10

/** The same outcome. `rejected` is called with a rejection: at once if the promise is handled, else a few turns later. */
export function watched<T>(promise: Promise<T>, rejected: (error: unknown, handled: boolean) => void): Promise<T> {
  const outer = new WatchedPromise<T>((resolve, reject) => promise.then(resolve, reject))
  Promise.prototype.then.call(outer, undefined, async (error) => {
    for (let turn = 0; turn < TURNS && !outer.handled; turn++) await undefined
    rejected(error, outer.handled)
  })
  return outer
}
