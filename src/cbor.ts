/** The entry point `wampy-ts/cbor`: the CBOR serializer. */

export type * from './protocol/wire-types.ts'
export { cbor } from './serializer/cbor.ts'
export type { Serializer } from './serializer/serializer.ts'
