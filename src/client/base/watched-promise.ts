/** A promise that need not be handled: its creator learns if a rejection is unhandled, and may report it. */

/** Records if its outcome was ever read. `then` returns an ordinary promise. */
class WatchedPromise<T> extends Promise<T> {
  handled = false

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // `await`, `catch`, `finally` and `Promise.all` call this too, because its constructor is not Promise.
  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<A = T, B = never>(
    resolved?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.handled = true
    return super.then(resolved, rejected)
  }
}

/** Turns that an unhandled rejection waits for its handler: enough for async functions to pass the promise on. */
const TURNS = 10

/** The same outcome. `rejected` is called with a rejection: at once if the promise is handled, otherwise a few turns later. */
export function watched<T>(promise: Promise<T>, rejected: (error: unknown, handled: boolean) => void): Promise<T> {
  // The promise follows the inner one, and until then only the user's follows it: so an error has the user's stack.
  const outer = new WatchedPromise<T>((resolve, reject) =>
    promise.then(resolve, (error) => {
      Promise.prototype.then.call(outer, undefined, async () => {
        for (let turn = 0; turn < TURNS && !outer.handled; turn++) await undefined
        rejected(error, outer.handled)
      })
      reject(error)
    }),
  )
  return outer
}
