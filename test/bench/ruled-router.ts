/** A router as a process of its own; `rules` as its argument gives the role of its sessions twenty static rules. */

import { serve } from 'wampy-ts/node'
import { type Permission, Router } from 'wampy-ts/router'

const all = { call: true, register: true, publish: true, subscribe: true }
const others = Array.from({ length: 18 }, (_, n): Permission => {
  const allow = { call: true }
  if (n % 3 === 0) return { uri: `com.example.n${n}`, allow }
  return n % 3 === 1
    ? { uri: `com.example.n${n}.`, match: 'prefix', allow }
    : { uri: `com..n${n}`, match: 'wildcard', allow }
})
const permissions: readonly Permission[] = [
  ...others,
  { uri: 'bench.', match: 'prefix', allow: all },
  { uri: 'bench.secret.', match: 'prefix', allow: {} },
]

const router = new Router(process.argv[2] === 'rules' ? { authorize: [{ name: 'anonymous', permissions }] } : {})
const { url } = await serve(router, { port: 0 })
console.log(`listening on ${url}`)
