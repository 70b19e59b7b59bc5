/** Payload codecs: their contract, and the choice of the codec for the payloads of a call or an event. */

import { unsent, usage, WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED, INVALID_ARGUMENT, PAYLOAD_UNREADABLE } from '../../protocol/names.ts'
import { checkRules, FLAG, FUNCTION, type OptionRules, STRING } from '../../protocol/option-rules.ts'
import type { Dict, List, PassthruKeys, Roles } from '../../protocol/options.ts'
import { type Payload, payload } from '../../protocol/payload.ts'
import { isReserved } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { PASSTHRU } from '../../protocol/words.ts'

/** The kind of a payload: `part` is a part of a call, and `progress` a progressive result; others follow both. */
export type PayloadKind = 'call' | 'part' | 'result' | 'progress' | 'error' | 'event'

/** The context of a payload, equal at both ends whatever the router does. */
export interface PayloadContext {
  readonly kind: PayloadKind
  /** The procedure or the topic. */
  readonly uri: Uri
  /** The URI of an error. */
  readonly error?: Uri | undefined
  /** The bytes of the call, or of its first part, for its later parts and its answers. */
  readonly call?: Uint8Array | undefined
}

/** The values of a payload. */
export interface PayloadValues {
  readonly args: List
  readonly kwargs: Dict
}

/** Encodes and decodes payloads, synchronously, because WAMP guarantees order. Its errors are reported. */
export interface PayloadCodec {
  /** `mqtt`, `wamp`, or a custom name that begins with `x_`. */
  readonly scheme: string
  /** Sent as `ppt_serializer`; `native` for items that the session's own serializer carries unchanged. */
  readonly serializer?: string | undefined
  /** Sent as `ppt_cipher`. */
  readonly cipher?: string | undefined
  /** True if payloads for a URI are encoded even if no `ppt_scheme` asks for it. */
  readonly covers?: ((uri: Uri) => boolean) | undefined
  /** True if plain payloads for a URI that it covers are rejected. */
  readonly required?: boolean | undefined
  encode(payload: PayloadValues, context: PayloadContext & { readonly keyid?: string | undefined }): Encoded
  decode(bytes: Uint8Array, keys: PassthruKeys, context: PayloadContext): PayloadValues
}

export interface Encoded {
  readonly bytes: Uint8Array
  /** Sent as `ppt_keyid`. */
  readonly keyid?: string | undefined
}

const PPT_SCHEME = /^(wamp|mqtt|x_.+)$/
/** Errors that a router itself may send, and so in plain. */
const ROUTERS = /^(wampy?|crossbar)\./

/**
 * The payloads of one call, at either end, or of one event. The encoding is chosen once, and answers use that of the
 * call.
 */
export class Talk {
  readonly #codecs: readonly PayloadCodec[]
  readonly #uri: Uri
  readonly #roles: Roles
  /** The codec that covers the URI, whatever the options. */
  readonly #covering: PayloadCodec | undefined
  #codec: PayloadCodec | undefined
  #keyid: string | undefined
  #call: Uint8Array | undefined
  #begun = false

  constructor(codecs: readonly PayloadCodec[], uri: Uri, roles: Roles) {
    this.#codecs = codecs
    this.#uri = uri
    this.#roles = roles
    this.#covering = isReserved(uri) ? undefined : codecs.find((codec) => codec.covers?.(uri))
  }

  /** True if its payloads pass through a codec. */
  get coded(): boolean {
    return this.#codec !== undefined
  }

  /**
   * Encodes a payload for the wire.
   *
   * @throws WampError if that is impossible; nothing may be sent then
   */
  say<Options extends Dict>(
    kind: PayloadKind,
    options: Options,
    data: Payload | undefined,
    error?: Uri,
  ): [options: Options & PassthruKeys, data: Payload | undefined] {
    const asked: PassthruKeys = options
    const first = !this.#begun
    // The answers to a plain call are plain.
    if (first && isQuestion(kind)) this.#begin(kind, asked)
    const codec = this.#codec
    if (!codec) {
      if (asked.ppt_scheme !== undefined) checkItem(asked, data)
      return [options, data]
    }
    const { args = [], kwargs = {} } = data ?? {}
    const context = { ...this.#context(kind, error), keyid: this.#keyid ?? asked.ppt_keyid }
    const { bytes, keyid } = attempt(INVALID_ARGUMENT, () => codec.encode({ args, kwargs }, context))
    if (!(bytes instanceof Uint8Array) && !isNative(codec)) {
      throw usage(`the codec ${codec.scheme} must encode to bytes, got ${formatValue(bytes)}`)
    }
    if (kind === 'call' || kind === 'part') {
      this.#call ??= bytes
      this.#keyid ??= keyid
    }
    const keys: PassthruKeys = {
      ppt_scheme: codec.scheme,
      ...(codec.serializer !== undefined && { ppt_serializer: codec.serializer }),
      ...(codec.cipher !== undefined && { ppt_cipher: codec.cipher }),
      ...(keyid !== undefined && { ppt_keyid: keyid }),
    }
    // The keys of the first part apply to all parts.
    const parts = (kind === 'call' || kind === 'part') && !first
    return [parts ? options : { ...options, ...keys }, payload([bytes])]
  }

  /**
   * Decodes a payload from the wire.
   *
   * @throws WampError `wampy.error.payload_unreadable`, or for a call that no codec can read `wamp.error.invalid_argument`
   */
  hear(kind: PayloadKind, details: PassthruKeys, data: Payload | undefined, error?: Uri): Payload | undefined {
    const first = !this.#begun && isQuestion(kind)
    const expected = first ? this.#covering : this.#codec
    const codec = details.ppt_scheme === undefined ? undefined : this.#codecs.find((it) => isOf(it, details))
    if (expected?.required && codec !== expected) {
      // A router has no key, and must be able to send its own errors.
      const byRouter = error !== undefined && ROUTERS.test(error) && details.ppt_scheme === undefined
      if (!byRouter) throw unreadable(this.#uri, `(${error ?? kind}) did not come by ${expected.scheme}`)
      return data
    }
    if (!codec) {
      if (details.ppt_scheme !== undefined && (kind === 'call' || kind === 'part')) {
        throw new WampError(INVALID_ARGUMENT, [
          `payloads of the scheme ${formatValue(details.ppt_scheme)} are not understood here`,
        ])
      }
      return data
    }
    const { args = [], kwargs = {} } = data ?? {}
    const [bytes] = args as [Uint8Array]
    if (args.length !== 1 || Object.keys(kwargs).length > 0 || !(bytes instanceof Uint8Array || isNative(codec))) {
      throw unreadable(this.#uri, 'must be one item of bytes')
    }
    const values = attempt(PAYLOAD_UNREADABLE, () => codec.decode(bytes, details, this.#context(kind, error)))
    if (!Array.isArray(values.args) || !isDict(values.kwargs)) {
      throw unreadable(this.#uri, `is not args and kwargs to the codec ${codec.scheme}`)
    }
    if (first) {
      this.#begun = true
      this.#codec = codec
      this.#call = bytes
    }
    return payload(values.args, Object.keys(values.kwargs).length > 0 ? values.kwargs : undefined)
  }

  /** Chooses the encoding of this call or event. */
  #begin(kind: PayloadKind, asked: PassthruKeys): void {
    this.#begun = true
    const { ppt_scheme } = asked
    if (ppt_scheme !== undefined) checkScheme(ppt_scheme)
    this.#codec = ppt_scheme === undefined ? this.#covering : this.#codecs.find((codec) => isOf(codec, asked, codec))
    if (this.#covering?.required && this.#codec !== this.#covering) {
      throw usage(`payloads for ${this.#uri} must go by ${this.#covering.scheme}, not by ${formatValue(ppt_scheme)}`)
    }
    const role = kind === 'event' ? 'broker' : 'dealer'
    if ((this.#codec ?? ppt_scheme) !== undefined && !this.#roles[role]?.features?.[PASSTHRU]) {
      throw unsent(FEATURE_NOT_SUPPORTED, `the router's ${role} does not announce ${PASSTHRU}`)
    }
  }

  #context(kind: PayloadKind, error: Uri | undefined): PayloadContext {
    return { kind, uri: this.#uri, error, call: this.#call }
  }
}

/** True if a codec matches the keys of a payload; missing keys default to `otherwise`. */
function isOf(codec: PayloadCodec, keys: PassthruKeys, otherwise?: PayloadCodec): boolean {
  const { ppt_scheme, ppt_serializer = otherwise?.serializer, ppt_cipher = otherwise?.cipher } = keys
  return (
    codec.scheme === ppt_scheme &&
    // The default of the scheme `mqtt`.
    (codec.serializer ?? 'native') === (ppt_serializer ?? 'native') &&
    codec.cipher === ppt_cipher
  )
}

const isNative = ({ serializer = 'native' }: PayloadCodec): boolean => serializer === 'native'

const isQuestion = (kind: PayloadKind): boolean => kind === 'call' || kind === 'part' || kind === 'event'

const CODEC_RULES: OptionRules<PayloadCodec> = {
  scheme: STRING,
  serializer: STRING,
  cipher: STRING,
  covers: FUNCTION,
  required: FLAG,
  encode: FUNCTION,
  decode: FUNCTION,
}

/**
 * A codec may be an object of any class, with keys of its own.
 *
 * @throws WampError `wampy.error.usage` that names what is missing or of a wrong type
 */
export function checkCodec(codec: PayloadCodec): void {
  if (!isDict(codec)) throw usage(`passthru takes codecs, such as packed('mqtt', json), got ${formatValue(codec)}`)
  const { scheme, serializer, cipher, covers, required, encode, decode } = codec as PayloadCodec
  checkScheme(scheme)
  checkRules(
    'passthru',
    { serializer, cipher, covers, required, encode: encode ?? null, decode: decode ?? null },
    CODEC_RULES,
  )
}

/** @throws WampError `wampy.error.usage` for a scheme that WAMP does not allow */
export function checkScheme(scheme: unknown): void {
  if (typeof scheme === 'string' && PPT_SCHEME.test(scheme)) return
  throw usage(`ppt_scheme must be mqtt, wamp, or begin with x_, got ${formatValue(scheme)}`)
}

/** Without a codec the caller guarantees that the payload is one item, of bytes unless the serializer is `native`. */
function checkItem({ ppt_scheme, ppt_serializer }: PassthruKeys, data: Payload | undefined): void {
  const { args = [], kwargs = {} } = data ?? {}
  const native = ppt_serializer === 'native' || (ppt_serializer === undefined && ppt_scheme === 'mqtt')
  const [item] = args
  if (args.length === 1 && !Object.keys(kwargs).length && (native || item instanceof Uint8Array)) return
  throw usage('with ppt_scheme and no codec for it, args must be one item of bytes and kwargs none')
}

function unreadable(uri: Uri, what: string): WampError {
  return new WampError(PAYLOAD_UNREADABLE, [`the payload for ${uri} ${what}`])
}

/** A codec may throw any value. */
function attempt<T>(uri: Uri, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (WampError.is(error)) throw error
    throw new WampError(uri, [String(error instanceof Error ? error.message : error)], {}, { cause: error })
  }
}
