/** Replaces `platform.ts` in the build for pages, where a WebSocket follows W3C and does not reveal why it failed. */

import type * as platform from './platform.ts'

export const packagedClass: typeof platform.packagedClass = () => undefined
export const socketCreator: typeof platform.socketCreator = (Class) => (url, protocols) => new Class(url, protocols)

export const extrasOf: typeof platform.extrasOf = () => undefined

export const failureReason: typeof platform.failureReason = (event, advice) =>
  `${event?.message ? `${event.message}; ` : ''}${advice}, and that connect-src of the Content-Security-Policy allows it`
