/** Checks JSON text (RFC 8259) in one pass without building its values, which may take fifty times the memory and the time. */

const QUOTE = 34
const COMMA = 44
const MINUS = 45
const DOT = 46
const ZERO = 48
const NINE = 57
const COLON = 58
const OPENING_BRACKET = 91
const BACKSLASH = 92
const OPENING_BRACE = 123
const CLOSING_BRACE = 125

/** Up to this length a loop is faster than a search of the engine. */
const SHORT_STRING = 32
/** Integers of more digits may become bigints. */
const EXACT_DIGITS = 15
/** A backslash or a control character, which are all characters but these. */
const SPECIAL = /[^ -[\]-\uffff]/

/** The result of `JsonScan.value` for text that is not JSON, and for text that is nested too deeply. */
export const MALFORMED = -1
export const TOO_DEEP = -2

export class JsonScan {
  readonly #text: string
  /** For each level, the character that closes it. */
  readonly #closers: Uint8Array
  /** The number of values seen so far, keys not counted; an integer beyond 15 digits counts as one more for every 8 of them. */
  values = 0

  /** `levels` is the greatest depth of lists and dictionaries. */
  constructor(text: string, levels: number) {
    this.#text = text
    this.#closers = new Uint8Array(levels + 1)
  }

  /** The offset of the next character that is not white space. */
  space(at: number): number {
    let next = at
    for (;;) {
      const code = this.#text.charCodeAt(next)
      if (code > 32 || (code !== 32 && code !== 10 && code !== 13 && code !== 9)) return next
      next++
    }
  }

  /** The offset behind the value that begins at `start`, or MALFORMED or TOO_DEEP. */
  value(start: number): number {
    const text = this.#text
    const closers = this.#closers
    let depth = 0
    let at = start
    for (;;) {
      this.values++
      const code = text.charCodeAt(at)
      if (code === OPENING_BRACE || code === OPENING_BRACKET) {
        // The code of the closing one is that of the opening one and two.
        const closer = code + 2
        at = this.space(at + 1)
        if (text.charCodeAt(at) !== closer) {
          if (++depth >= closers.length) return TOO_DEEP
          closers[depth] = closer
          if (closer === CLOSING_BRACE) at = this.#key(at)
          if (at < 0) return at
          continue
        }
        if (depth + 1 >= closers.length) return TOO_DEEP
        at++
      } else at = this.#scalar(at, code)
      if (at < 0) return at
      for (;;) {
        if (depth === 0) return at
        at = this.space(at)
        const next = text.charCodeAt(at)
        const closer = closers[depth]
        if (next === COMMA) {
          at = this.space(at + 1)
          if (closer === CLOSING_BRACE) at = this.#key(at)
          if (at < 0) return at
          break
        }
        if (next !== closer) return MALFORMED
        at++
        depth--
      }
    }
  }

  /** The offset of the value of a key. */
  #key(start: number): number {
    if (this.#text.charCodeAt(start) !== QUOTE) return MALFORMED
    const end = this.#string(start)
    if (end < 0) return end
    const colon = this.space(end)
    return this.#text.charCodeAt(colon) === COLON ? this.space(colon + 1) : MALFORMED
  }

  #scalar(at: number, code: number): number {
    if (code === QUOTE) return this.#string(at)
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.#number(at)
    for (const word of ['true', 'false', 'null']) if (this.#text.startsWith(word, at)) return at + word.length
    return MALFORMED
  }

  #string(start: number): number {
    const text = this.#text
    let near = start + SHORT_STRING
    let quote = -1
    for (let at = start + 1; ; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) return at + 1
      // Also false for NaN, behind the end.
      if (!(code >= 32)) return MALFORMED
      if (code === BACKSLASH) {
        at++
        const escaped = text.charCodeAt(at)
        if (escaped === 117) {
          for (let digit = 0; digit < 4; digit++) if (!isHex(text.charCodeAt(++at))) return MALFORMED
        } else if (!isEscape(escaped)) return MALFORMED
      } else if (at > near) {
        // The quote found may be escaped, or far behind many escapes: it is searched for once.
        if (quote < at) quote = text.indexOf('"', at)
        if (quote < 0) return MALFORMED
        const special = text.slice(at, quote).search(SPECIAL)
        at = (special < 0 ? quote : at + special) - 1
        near = at + SHORT_STRING
      }
    }
  }

  #number(start: number): number {
    const text = this.#text
    let at = start
    if (text.charCodeAt(at) === MINUS) at++
    if (text.charCodeAt(at) === ZERO) at++
    else {
      const end = this.#digits(at)
      if (end === at) return MALFORMED
      if (end - at > EXACT_DIGITS) this.values += (end - at) >> 3
      at = end
    }
    if (text.charCodeAt(at) === DOT) {
      const end = this.#digits(at + 1)
      if (end === at + 1) return MALFORMED
      at = end
    }
    const code = text.charCodeAt(at)
    if (code === 101 || code === 69) {
      const sign = text.charCodeAt(at + 1)
      const from = sign === 43 || sign === MINUS ? at + 2 : at + 1
      const end = this.#digits(from)
      if (end === from) return MALFORMED
      at = end
    }
    return at
  }

  #digits(start: number): number {
    let at = start
    for (;;) {
      const code = this.#text.charCodeAt(at)
      if (!(code >= ZERO && code <= NINE)) return at
      at++
    }
  }
}

const isHex = (code: number): boolean =>
  (code >= ZERO && code <= NINE) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70)

/** True for the characters behind a backslash: `"`, `\`, `/`, `b`, `f`, `n`, `r`, `t`. */
const isEscape = (code: number): boolean =>
  code === QUOTE ||
  code === BACKSLASH ||
  code === 47 ||
  code === 98 ||
  code === 102 ||
  code === 110 ||
  code === 114 ||
  code === 116
