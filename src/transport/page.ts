/** In the build for pages in the place of `platform.ts`: a WebSocket there does what W3C says, and does not say why it failed. */

import type * as platform from './platform.ts'

export const packagedClass: typeof platform.packagedClass = () => undefined
export const creator: typeof platform.creator = (Class) => (url, protocols) => new Class(url, protocols)

export const beyond: typeof platform.beyond = () => undefined

export const why: typeof platform.why = (event, advice) => (event?.message ? `${event.message}; ${advice}` : advice)
