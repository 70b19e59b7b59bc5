/** The door `wampy-ts/msgpack`: the serializer for MessagePack, for whoever asks for it. */

export { msgpack } from './serializer/msgpack.ts'
