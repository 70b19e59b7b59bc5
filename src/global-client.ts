/** The script tag without a router: the client as the global `wampy`. */

export * from './index.ts'
