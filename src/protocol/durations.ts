/** Durations: the longest one that a timer can wait for. */

/** In milliseconds; a timer with a longer delay fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1
