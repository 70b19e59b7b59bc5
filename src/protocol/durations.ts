/** Durations: how long a timer can wait. */

/** In milliseconds; with more, a timer would not wait at all. */
export const LONGEST_TIMER = 2 ** 31 - 1
