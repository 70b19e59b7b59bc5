/** The entry point `wampy-ts/testing`: a world with a router, scripted peers, links in memory, a log of the wire. */

// Types in the signatures below: whole clients and routers. They add nothing at run time.
export type * from './auth/contract.ts'
export type * from './index.ts'
export * from './protocol/codes.ts'
export type * from './router.ts'
export { linked } from './session/linked.ts'
export { Scripted, scripted, scriptedRouter } from './testing/scripted.ts'
export { type LogEntry, tap, toWireMessage, WireLog, type WireMessage } from './testing/tap.ts'
export { openWorld, World, type WorldOptions } from './testing/world.ts'
export { type Direction, type Wires, type WiresOptions, wires } from './transport/memory.ts'
