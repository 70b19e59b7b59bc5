/** Base64 with the standard alphabet and padding (RFC 4648, section 4), strict on the way in. */

// Not the platform's own: `atob` lets white space and missing padding pass, and both go through strings of single bytes.
const utf8 = new TextEncoder()
const ALPHABET = utf8.encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const VALUES = new Int8Array(256).fill(-1)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET[i] as number] = i
const PADDING = 61
const ascii = new TextDecoder()

/** Bytes as base64 text. */
export function toBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  let to = 0
  for (let from = 0; from < bytes.length; from += 3) {
    const left = bytes.length - from
    const bits =
      ((bytes[from] as number) << 16) |
      (left > 1 ? (bytes[from + 1] as number) << 8 : 0) |
      (left > 2 ? (bytes[from + 2] as number) : 0)
    text[to++] = ALPHABET[bits >> 18] as number
    text[to++] = ALPHABET[(bits >> 12) & 63] as number
    text[to++] = left > 1 ? (ALPHABET[(bits >> 6) & 63] as number) : PADDING
    text[to++] = left > 2 ? (ALPHABET[bits & 63] as number) : PADDING
  }
  return ascii.decode(text)
}

/** The bytes that base64 says, or undefined where text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  const digits = utf8.encode(text)
  const { length } = digits
  if (length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((length / 4) * 3 - padding)
  // A padding that was counted is read as zeros, whose bytes fall off the end.
  for (let i = 1; i <= padding; i++) digits[length - i] = ALPHABET[0] as number
  for (let from = 0, to = 0; from < length; from += 4) {
    const bits =
      (sextet(digits, from) << 18) |
      (sextet(digits, from + 1) << 12) |
      (sextet(digits, from + 2) << 6) |
      sextet(digits, from + 3)
    // A character outside the alphabet is -1, whose sign survives the shifts.
    if (bits < 0) return undefined
    bytes[to++] = bits >> 16
    bytes[to++] = bits >> 8
    bytes[to++] = bits
  }
  return bytes
}

function sextet(digits: Uint8Array, at: number): number {
  return VALUES[digits[at] as number] as number
}
