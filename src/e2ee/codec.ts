/** The payload codec for end-to-end encryption: XChaCha20-Poly1305, bound to the URI and the kind of each payload. */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { pack, unpack } from '../client/codec/packed-codec.ts'
import type { PayloadCodec, PayloadContext } from '../client/codec/payload-codec.ts'
import { usage, WampError } from '../protocol/error.ts'
import { PAYLOAD_UNREADABLE } from '../protocol/names.ts'
import { textEncoder } from '../protocol/text.ts'
import { cbor } from '../serializer/cbor.ts'
import type { Key, Keyring } from './keyring.ts'

/** Private to wampy-ts: WAMP mentions end-to-end encryption and does not define it. */
export const E2EE_SCHEME = 'x_wampy_e2ee'
export const E2EE_CIPHER = 'xchacha20poly1305'

// version 1 | nonce | ciphertext and tag
const FORMAT_VERSION = 1
const NONCE_SIZE = 24
const TAG_SIZE = 16
const HEADER_SIZE = 1 + NONCE_SIZE

/**
 * A codec that encrypts payloads of the URIs that a keyring covers, and refuses unencrypted payloads for them:
 * `new WampClient({ codecs: passthru(e2ee(keyring)) })`. A router sees URIs, sizes, times and ids of keys, and neither
 * args nor kwargs. It cannot change a payload, deliver it under another URI or as another kind, or answer a call with the
 * answer to another. It can still drop events and calls, and deliver them twice or in another order.
 */
export function e2ee(keyring: Keyring): PayloadCodec {
  return {
    scheme: E2EE_SCHEME,
    serializer: 'cbor',
    cipher: E2EE_CIPHER,
    required: true,
    covers: (uri) => keyring.keysOf(uri) !== undefined,

    encode(values, context) {
      const keys = keyring.keysOf(context.uri)
      const key = context.keyid === undefined ? keys?.[0] : keyWithId(keys, context.keyid)
      if (!key) {
        const which = context.keyid === undefined ? 'no key' : `no key ${JSON.stringify(context.keyid)}`
        throw usage(`the keyring has ${which} for ${context.uri}`)
      }
      // 192 random bits: no number of messages or senders makes two equal.
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_SIZE))
      const sealed = xchacha20poly1305(key.key, nonce, associatedData(context, key.id)).encrypt(pack(cbor, values))
      const bytes = new Uint8Array(HEADER_SIZE + sealed.length)
      bytes[0] = FORMAT_VERSION
      bytes.set(nonce, 1)
      bytes.set(sealed, HEADER_SIZE)
      return { bytes, keyid: key.id }
    },

    decode(bytes, { ppt_keyid = '' }, context) {
      const { uri } = context
      if (bytes[0] !== FORMAT_VERSION || bytes.length < HEADER_SIZE + TAG_SIZE)
        throw unreadablePayload(`the payload for ${uri} is not in the format of ${E2EE_SCHEME}`)
      const key = keyWithId(keyring.keysOf(uri), ppt_keyid)
      if (!key) throw unreadablePayload(`the keyring has no key ${JSON.stringify(ppt_keyid.slice(0, 80))} for ${uri}`)
      const nonce = bytes.subarray(1, HEADER_SIZE)
      let values: Uint8Array
      try {
        values = xchacha20poly1305(key.key, nonce, associatedData(context, key.id)).decrypt(bytes.subarray(HEADER_SIZE))
      } catch (cause) {
        const text = `the ${context.kind} for ${uri} was not encrypted as such by key ${JSON.stringify(key.id)}`
        throw new WampError(PAYLOAD_UNREADABLE, [text], {}, { cause })
      }
      return unpack(cbor, values)
    },
  }
}

function keyWithId(keys: readonly Key[] | undefined, id: string): Key | undefined {
  return keys?.find((key) => key.id === id)
}

function unreadablePayload(text: string): WampError {
  return new WampError(PAYLOAD_UNREADABLE, [text])
}

/**
 * The data that is authenticated with the payload, each part after its length in four bytes: the format, the kind, the
 * URI, the URI of the error, the id of the key, and the nonce of the call that the payload belongs to.
 */
function associatedData({ kind, uri, error = '', call }: PayloadContext, keyid: string): Uint8Array {
  const texts = ['wampy-ts e2ee 1', kind, uri, error, keyid].map((text) => textEncoder().encode(text))
  const parts = [...texts, call?.subarray(1, HEADER_SIZE) ?? new Uint8Array()]
  const bytes = new Uint8Array(parts.reduce((size, part) => size + 4 + part.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return bytes
}
