/** The version of this library. */

// Defined by the build; undefined when tests or another bundler run the sources.
declare const __VERSION__: string

export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : 'source'
/** The `agent` of HELLO and WELCOME. */
export const AGENT = `wampy-ts/${VERSION}`
