/** The door `wampy-ts/msgpack`: the serializer for MessagePack, for whoever asks for it. */

export type * from './protocol/wire-types.ts'
export { msgpack } from './serializer/msgpack.ts'
export type { Serializer } from './serializer/serializer.ts'
