/** The version of this library. */

// Written in by the build; a test or a bundler of the sources may not have it.
declare const __VERSION__: string

export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : 'source'
/** What HELLO and WELCOME name as `agent`. */
export const AGENT = `wampy-ts/${VERSION}`
