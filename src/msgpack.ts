/** The entry point `wampy-ts/msgpack`: the MessagePack serializer. */

export type * from './protocol/wire-types.ts'
export { msgpack } from './serializer/msgpack.ts'
export type { Serializer } from './serializer/serializer.ts'
