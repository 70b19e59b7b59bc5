/** Checks UTF-8 without decoding it. */

import { violation, type WampError } from '../protocol/error.ts'

/** Throws a protocol violation if bytes are not valid UTF-8: truncated, overlong, a surrogate, or beyond U+10FFFF. */
export function checkUtf8(bytes: Uint8Array, start: number, end: number): void {
  let at = start
  while (at < end) {
    const first = bytes[at] as number
    if (first < 0x80) {
      at++
      // Most text is ASCII to its end: check four bytes at a time.
      while (
        at + 4 <= end &&
        ((bytes[at] as number) | (bytes[at + 1] as number) | (bytes[at + 2] as number) | (bytes[at + 3] as number)) <
          0x80
      ) {
        at += 4
      }
      continue
    }
    // The range of the second byte excludes overlong forms and surrogates.
    let low = 0x80
    let high = 0xbf
    let more = 1
    if (first < 0xc2 || first > 0xf4) throw notText()
    if (first >= 0xf0) {
      more = 3
      if (first === 0xf0) low = 0x90
      else if (first === 0xf4) high = 0x8f
    } else if (first >= 0xe0) {
      more = 2
      if (first === 0xe0) low = 0xa0
      else if (first === 0xed) high = 0x9f
    }
    if (at + more >= end) throw notText()
    const second = bytes[at + 1] as number
    if (second < low || second > high) throw notText()
    for (let i = 2; i <= more; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) throw notText()
    at += more + 1
  }
}

function notText(): WampError {
  return violation('text must be UTF-8')
}
