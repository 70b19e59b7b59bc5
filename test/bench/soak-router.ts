/** The router of the soak, a process of its own: it sends its addresses, and answers `report` over IPC. */

import { deriveCraKey, scramAuth, scramSecret, ticketAuth, wampcraAuth } from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { type RoleRules, Router, type RouterStats } from 'wampy-ts/router'
import { heapInUse, PASSWORD, resourcesOf, SALT } from './leftovers.ts'

const allow = { call: true, register: true, publish: true, subscribe: true }
const authorize: readonly RoleRules[] = [
  { name: 'admin', permissions: [{ uri: '', match: 'prefix', allow, control: true }] },
  {
    name: 'user',
    permissions: [
      { uri: 'soak.', match: 'prefix', allow },
      { uri: 'soak.secret', allow: {} },
    ],
  },
  // Decided by a function, a little later.
  {
    name: 'asked',
    authorizer: async ({ uri }) => {
      await new Promise((resolve) => setImmediate(resolve))
      return { allow: uri.startsWith('soak.') && uri !== 'soak.secret', cache: uri === 'soak.echo' }
    },
  },
]

const router = new Router({
  auth: [
    ticketAuth({ admin: { ticket: PASSWORD, role: 'admin' }, joe: { ticket: PASSWORD } }),
    wampcraAuth({ jane: { secret: await deriveCraKey(PASSWORD, SALT), ...SALT, role: 'asked' } }),
    scramAuth({ jim: await scramSecret(PASSWORD, { iterations: 4096 }) }),
  ],
  authorize,
  // Everybody is at one address and has one of three names: their failures must not slow the soak down.
  loginLimits: { free: 5, delay: 1, maxDelay: 5 },
})
// A client that stops to poll is missed soon: until then calls wait for it.
const { url, rawSocketUrl, longPollUrl } = await serve(router, { port: 0, longPoll: { timeout: 1000 } })

export interface SoakReport {
  readonly stats: RouterStats
  readonly links: number
  /** Bytes after a collection of garbage. */
  readonly heap: number
  /** The names of what keeps the process alive, with their numbers. */
  readonly resources: string
}

process.on('message', () => {
  process.send?.({
    stats: router.stats(),
    links: router.links,
    heap: heapInUse(),
    resources: resourcesOf(),
  } satisfies SoakReport)
})
process.on('disconnect', () => process.exit())
process.send?.({ url, rawSocketUrl, longPollUrl })
