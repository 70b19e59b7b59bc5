/** The door `wampy-ts/cbor`: the serializer for CBOR, for whoever asks for it. */

export type * from './protocol/wire-types.ts'
export { cbor } from './serializer/cbor.ts'
export type { Serializer } from './serializer/serializer.ts'
