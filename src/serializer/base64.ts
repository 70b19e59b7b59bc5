/** Base64 with the standard alphabet and padding (RFC 4648, section 4), strict when decoding. */

// The number of arguments of one call: more would overflow the stack.
const ARGUMENTS_PER_CALL = 0x8000
// `atob` alone accepts white space and missing padding.
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Bytes as base64 text. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += ARGUMENTS_PER_CALL) {
    // Spreading would use an iterator, which is three times slower.
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + ARGUMENTS_PER_CALL) as unknown as number[])
  }
  return btoa(text)
}

/** Decodes base64; undefined if the text is not valid base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}
