/** A payload codec that only serializes (payload passthru mode), and the packing of single values. */

import { YIELD } from '../../protocol/codes.ts'
import { usage, WampError } from '../../protocol/error.ts'
import type { Message, YieldMessage } from '../../protocol/messages.ts'
import { PAYLOAD_UNREADABLE } from '../../protocol/names.ts'
import { checkRules, FUNCTION, SERIALIZERS } from '../../protocol/option-rules.ts'
import type { Dict, List } from '../../protocol/options.ts'
import { strictTextDecoder, textEncoder } from '../../protocol/text.ts'
import { isDict } from '../../protocol/validate.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import { checkScheme, type PayloadCodec, type PayloadValues } from './payload-codec.ts'

const PACKED_RULES = {
  serializer: ['a serializer, such as json', SERIALIZERS[1]],
  covers: FUNCTION,
} as const

/**
 * A codec whose bytes are args and kwargs in a serializer: `packed('mqtt', json)`, `packed('x_mine', cbor, covers)`.
 * Without a serializer it is `native`: one item, which the session carries unchanged.
 *
 * @throws WampError `wampy.error.usage` for a scheme that WAMP does not allow, and for what is not a serializer or a function
 */
export function packed(scheme: string, serializer?: Serializer, covers?: (uri: string) => boolean): PayloadCodec {
  checkScheme(scheme)
  checkRules('packed', { serializer, covers }, PACKED_RULES)
  if (!serializer) return { scheme, serializer: 'native', covers, encode: nativeOf, decode: itself }
  return {
    scheme,
    serializer: serializer.name,
    covers,
    encode: (values) => ({ bytes: pack(serializer, values) }),
    decode: (bytes) => unpack(serializer, bytes),
  }
}

function nativeOf({ args, kwargs }: PayloadValues): { bytes: Uint8Array } {
  if (args.length === 1 && !Object.keys(kwargs).length) return { bytes: args[0] as Uint8Array }
  throw usage('a native payload is one item in args, and no kwargs')
}

const itself = (bytes: Uint8Array): PayloadValues => ({ args: [bytes], kwargs: {} })

/** Encodes `{ args, kwargs }` with a serializer (Advanced Profile, Payload Passthru Mode). */
export function pack(serializer: Serializer, { args, kwargs }: PayloadValues): Uint8Array {
  const [before, behind] = around(serializer)
  try {
    const frame = bytesOf(serializer.encode(carrying({ args, kwargs })))
    return frame.slice(before.length, frame.length - behind.length)
  } catch (error) {
    // Errors name the place as the caller knows it: `args[0].args[1]` is its `args[1]`.
    if (!WampError.is(error)) throw error
    throw new WampError(error.uri, [error.message.replace(/^args\[0\]\.(k?w?args)/, '$1')], {}, { cause: error })
  }
}

/** @throws WampError `wampy.error.payload_unreadable` for bytes that are not `{ args, kwargs }` */
export function unpack(serializer: Serializer, bytes: Uint8Array): PayloadValues {
  const [before, behind] = around(serializer)
  const frame = new Uint8Array(before.length + bytes.length + behind.length)
  frame.set(before)
  frame.set(bytes, before.length)
  frame.set(behind, before.length + bytes.length)
  let found: List = []
  let cause: unknown
  try {
    found =
      (serializer.decode(serializer.binary ? frame : strictTextDecoder().decode(frame)) as YieldMessage)[3]?.args ?? []
  } catch (error) {
    cause = error
  }
  const [value] = found
  if (found.length === 1 && isDict(value)) {
    const { args = [], kwargs = {} } = value as { args?: List | null; kwargs?: Dict | null }
    if ((args === null || Array.isArray(args)) && (kwargs === null || isDict(kwargs))) {
      return { args: args ?? [], kwargs: kwargs ?? {} }
    }
  }
  throw new WampError(PAYLOAD_UNREADABLE, [`the payload is not args and kwargs in ${serializer.name}`], {}, { cause })
}

// A serializer encodes messages, so the value travels in one and is checked as strictly as a payload from a wire.
const carrying = (value: unknown): Message => [YIELD, 1, {}, { args: [value], kwargs: undefined }]

/** The bytes before and after the value in its message. */
function around(serializer: Serializer): readonly [before: Uint8Array, behind: Uint8Array] {
  const frame = serializer.encode(carrying(null))
  if (typeof frame !== 'string') return [frame.slice(0, -1), new Uint8Array()]
  const [before = '', behind = ''] = frame.split('null')
  return [textEncoder().encode(before), textEncoder().encode(behind)]
}

const bytesOf = (frame: string | Uint8Array): Uint8Array =>
  typeof frame === 'string' ? textEncoder().encode(frame) : frame
