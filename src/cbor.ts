/** The door `wampy-ts/cbor`: the serializer for CBOR, for whoever asks for it. */

export { cbor } from './serializer/cbor.ts'
