/** The entry point `wampy-ts/log`: logs a router or a client; it runs in a page too. */

export { type LoggedClient, type LoggedRouter, type Logger, logTo } from './operations/log.ts'
