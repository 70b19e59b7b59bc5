/** The last items of a series, shown in few snapshots. */

/** Milliseconds between two snapshots of a fast series: a frame of a screen. */
const FRAME = 16

/**
 * Keeps the last `limit` items. `changed` is called a microtask after an item, and at most once in a frame while items
 * come fast: a page receives each message in a task of its own, and would otherwise render once for each.
 */
export class Recent<T> {
  readonly #limit: number
  readonly #changed: () => void
  #items: T[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #planned = false
  #shown = Number.NEGATIVE_INFINITY

  constructor(limit: number, changed: () => void) {
    this.#limit = limit
    this.#changed = changed
  }

  add(item: T): void {
    this.#items.push(item)
    // Rarely, so that an item costs the same whatever the limit.
    if (this.#items.length >= 2 * this.#limit) this.#items = this.list
    if (this.#planned) return
    this.#planned = true
    const left = FRAME - (performance.now() - this.#shown)
    if (left > 0) this.#timer = setTimeout(() => this.#show(), left)
    else queueMicrotask(() => this.#show())
  }

  /** The items, oldest first: a new array each time. */
  get list(): T[] {
    return this.#items.slice(-this.#limit)
  }

  clear(): void {
    this.#items = []
  }

  /** Drops a planned call of `changed`. */
  hush(): void {
    this.#planned = false
    clearTimeout(this.#timer)
  }

  #show(): void {
    if (!this.#planned) return
    this.#planned = false
    this.#shown = performance.now()
    this.#changed()
  }
}
