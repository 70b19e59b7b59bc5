/** In the build for pages in the place of `platform.ts`: a WebSocket there does what W3C says, and does not say why it failed. */

import type * as platform from './platform.ts'

export const packagedClass: typeof platform.packagedClass = () => undefined
export const socketCreator: typeof platform.socketCreator = (Class) => (url, protocols) => new Class(url, protocols)

export const extrasOf: typeof platform.extrasOf = () => undefined

export const failureReason: typeof platform.failureReason = (event, advice) =>
  event?.message ? `${event.message}; ${advice}` : advice
