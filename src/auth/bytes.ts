/** Bytes as hexadecimal text, and comparisons whose time does not depend on the contents. */

const HEX = /^(?:[0-9a-f]{2})*$/i

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** Decodes hexadecimal digits of `length` bytes; undefined for any other value. */
export function fromHex(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== 2 * length || !HEX.test(text)) return undefined
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16))
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** The bitwise exclusive or of two sequences of the same length. */
export function xorBytes(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, at) => byte ^ (other[at] as number))
}

/** Compares in a time that depends on the lengths alone. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (let at = 0; at < one.length; at++) difference |= (one[at] as number) ^ (other[at] ?? 0)
  return difference === 0
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}
