/** What tests of WAMP applications need: a world with a router, peers by hand, links in memory, a log of the wire. */

export { linked } from './session/linked.ts'
export { Scripted, scripted, scriptedRouter } from './testing/scripted.ts'
export { type LogEntry, tap, WireLog, type WireMessage, wireOf } from './testing/tap.ts'
export { openWorld, World, type WorldOptions } from './testing/world.ts'
export { type Direction, type Wires, type WiresOptions, wires } from './transport/memory.ts'
