/** The platform's UTF-8 coders, created on first use: jest's jsdom lacks them, and an import must work there. */

import { usage } from './error.ts'

let encoder: TextEncoder | undefined
let decoder: TextDecoder | undefined
let strictDecoder: TextDecoder | undefined

/** @throws WampError `wampy.error.usage` if the platform has no TextEncoder */
export function textEncoder(): TextEncoder {
  if (!encoder) {
    if (typeof TextEncoder === 'undefined') throw missing('TextEncoder')
    encoder = new TextEncoder()
  }
  return encoder
}

/** Replaces invalid UTF-8; a byte order mark at the start is part of the text. @throws as `textEncoder` */
export function textDecoder(): TextDecoder {
  decoder ??= newDecoder(false)
  return decoder
}

/** Throws a TypeError for invalid UTF-8. @throws as `textEncoder` */
export function strictTextDecoder(): TextDecoder {
  strictDecoder ??= newDecoder(true)
  return strictDecoder
}

function newDecoder(fatal: boolean): TextDecoder {
  if (typeof TextDecoder === 'undefined') throw missing('TextDecoder')
  return new TextDecoder('utf-8', { fatal, ignoreBOM: true })
}

function missing(name: string) {
  return usage(
    `${name} is missing here; with Jest's jsdom, take it from Node in a setup file: ` +
      `Object.assign(globalThis, { ${name}: require('node:util').${name} })`,
  )
}
