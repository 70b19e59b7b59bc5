/** What a serializer makes and a transport moves. */

/** Text or bytes, as one WebSocket message is. */
export type Frame = string | Uint8Array
