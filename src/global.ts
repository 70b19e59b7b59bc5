/** The script tag: the client, the router and the memory link as the global `wampy`. */

export {
  anonymous,
  clientAuth,
  cookie,
  cryptosign,
  generateKey,
  scram,
  ticket,
  tls,
  wampcra,
} from './auth.ts'
export * from './index.ts'
export { Router, type RouterOptions } from './router/router.ts'
export { linked } from './session/linked.ts'
export { acceptPorts } from './worker/accept-ports.ts'
