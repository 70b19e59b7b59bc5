/** The layout of every message in one table. A message from a peer is checked against it once; then its types hold. */

import * as codes from './codes.ts'
import { violation } from './error.ts'
import { isId } from './ids.ts'
import type { Code } from './messages.ts'

/** The kind of an element of a message. */
export const KIND_ID = 0
/** A request id, or the 0 that marks a revocation. */
export const KIND_ID_OR_ZERO = 1
export const KIND_DICT = 2
/** A URI or other text; the role that reads it checks its syntax. */
export const KIND_TEXT = 3
/** The type of request that an ERROR answers. */
export const KIND_REQUEST = 4
export type ElementKind =
  | typeof KIND_ID
  | typeof KIND_ID_OR_ZERO
  | typeof KIND_DICT
  | typeof KIND_TEXT
  | typeof KIND_REQUEST

export interface Layout {
  readonly name: string
  readonly code: Code
  /** Kinds of the elements between the code and the payload. */
  readonly kinds: readonly ElementKind[]
  /** The least number of elements before the payload, including the code. */
  readonly least: number
  /** The greatest number of elements before the payload, including the code. */
  readonly most: number
  /** True if args and kwargs may follow. */
  readonly payload: boolean
  /** The index of its options or details; 0 if it has none. */
  readonly dict: number
}

const LAYOUTS: (Layout | undefined)[] = []

function layout(code: Code, name: string, kinds: readonly ElementKind[], tail: 'payload' | 'dict' | '' = ''): void {
  const least = kinds.length + 1
  const all: readonly ElementKind[] = tail === 'dict' ? [...kinds, KIND_DICT] : kinds
  LAYOUTS[code] = {
    name,
    code,
    kinds: all,
    least,
    most: all.length + 1,
    payload: tail === 'payload',
    dict: all.indexOf(KIND_DICT) + 1,
  }
}

layout(codes.HELLO, 'HELLO', [KIND_TEXT, KIND_DICT])
layout(codes.WELCOME, 'WELCOME', [KIND_ID, KIND_DICT])
layout(codes.ABORT, 'ABORT', [KIND_DICT, KIND_TEXT], 'payload')
layout(codes.CHALLENGE, 'CHALLENGE', [KIND_TEXT, KIND_DICT])
layout(codes.AUTHENTICATE, 'AUTHENTICATE', [KIND_TEXT, KIND_DICT])
layout(codes.GOODBYE, 'GOODBYE', [KIND_DICT, KIND_TEXT])
layout(codes.ERROR, 'ERROR', [KIND_REQUEST, KIND_ID, KIND_DICT, KIND_TEXT], 'payload')
layout(codes.PUBLISH, 'PUBLISH', [KIND_ID, KIND_DICT, KIND_TEXT], 'payload')
layout(codes.PUBLISHED, 'PUBLISHED', [KIND_ID, KIND_ID])
layout(codes.SUBSCRIBE, 'SUBSCRIBE', [KIND_ID, KIND_DICT, KIND_TEXT])
layout(codes.SUBSCRIBED, 'SUBSCRIBED', [KIND_ID, KIND_ID])
layout(codes.UNSUBSCRIBE, 'UNSUBSCRIBE', [KIND_ID, KIND_ID], 'dict')
layout(codes.UNSUBSCRIBED, 'UNSUBSCRIBED', [KIND_ID_OR_ZERO], 'dict')
layout(codes.EVENT, 'EVENT', [KIND_ID, KIND_ID, KIND_DICT], 'payload')
layout(codes.CALL, 'CALL', [KIND_ID, KIND_DICT, KIND_TEXT], 'payload')
layout(codes.CANCEL, 'CANCEL', [KIND_ID, KIND_DICT])
layout(codes.RESULT, 'RESULT', [KIND_ID, KIND_DICT], 'payload')
layout(codes.REGISTER, 'REGISTER', [KIND_ID, KIND_DICT, KIND_TEXT])
layout(codes.REGISTERED, 'REGISTERED', [KIND_ID, KIND_ID])
layout(codes.UNREGISTER, 'UNREGISTER', [KIND_ID, KIND_ID], 'dict')
layout(codes.UNREGISTERED, 'UNREGISTERED', [KIND_ID_OR_ZERO], 'dict')
layout(codes.INVOCATION, 'INVOCATION', [KIND_ID, KIND_ID, KIND_DICT], 'payload')
layout(codes.INTERRUPT, 'INTERRUPT', [KIND_ID, KIND_DICT])
layout(codes.YIELD, 'YIELD', [KIND_ID, KIND_DICT], 'payload')

/** The layout of a message by its code; throws a protocol violation if the code is not a code of WAMP. */
export function layoutOf(code: unknown): Layout {
  const found = typeof code === 'number' ? LAYOUTS[code] : undefined
  if (found) return found
  throw violation(`a message begins with its code, got ${formatValue(code)}`)
}

/** The name of a message by its code. */
export function nameOf(code: Code): string {
  return layoutOf(code).name
}

/** Checks the number of elements of a message, including its payload; throws a protocol violation. */
export function checkLength(layout: Layout, length: number): void {
  const most = layout.payload ? layout.most + 2 : layout.most
  if (length >= layout.least && length <= most) return
  const range = most === layout.least ? String(most) : `${layout.least} to ${most}`
  throw violation(`${layout.name} has ${range} elements, got ${length}`)
}

/** Checks the elements before the payload; throws a protocol violation that names the first wrong one. */
export function checkElements({ name, kinds }: Layout, elements: readonly unknown[]): void {
  for (let i = 1; i <= kinds.length && i < elements.length; i++) {
    const kind = kinds[i - 1] as ElementKind
    const value = elements[i]
    if (isA(kind, value, elements.length)) continue
    throw violation(`${name}[${i}] must be ${EXPECTED[kind]}, got ${formatValue(value)}`)
  }
}

/** By kind. */
const EXPECTED = ['an id', 'an id', 'a dictionary', 'text', 'the code of a request']

function isA(kind: ElementKind, value: unknown, length: number): boolean {
  switch (kind) {
    case KIND_ID:
      return isId(value)
    case KIND_DICT:
      return isDict(value)
    case KIND_TEXT:
      return typeof value === 'string'
    case KIND_ID_OR_ZERO:
      // 0 marks a revocation; a third element names what it revokes.
      return isId(value) || (value === 0 && length === 3)
    case KIND_REQUEST:
      return REQUESTS.includes(value)
  }
}

const REQUESTS: readonly unknown[] = [
  codes.PUBLISH,
  codes.SUBSCRIBE,
  codes.UNSUBSCRIBE,
  codes.CALL,
  codes.REGISTER,
  codes.UNREGISTER,
  codes.INVOCATION,
]

/**
 * True if one item may stand for the whole payload, in the place of args: payload transparency, a feature of Crossbar.io
 * that WAMP does not define. Clients accept it, or any publisher could end their sessions; our router never sends it.
 */
export function isTransparent({ code, dict }: Layout, message: readonly unknown[]): boolean {
  const details = message[dict] as { enc_algo?: unknown } | undefined
  return (
    typeof details?.enc_algo === 'string' &&
    (code === codes.ERROR
      ? message[1] !== codes.INVOCATION
      : code === codes.EVENT || code === codes.RESULT || code === codes.INVOCATION)
  )
}

/** Checks the elements in the places of args and kwargs; throws a protocol violation. */
export function checkPayloadElements(layout: Layout, args: unknown, kwargs: unknown): void {
  if (!Array.isArray(args)) throw violation(`${layout.name}: args must be a list, got ${formatValue(args)}`)
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw violation(`${layout.name}: kwargs must be a dictionary, got ${formatValue(kwargs)}`)
  }
}

/** True for a Uint8Array, also for one of another realm: an iframe, `vm`, jest's jsdom. */
export function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]')
  )
}

/** True if a decoded value is a dictionary. */
export function isDict(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value)
}

/** Formats a value for an error message: short and on one line, whatever a peer sent. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)
  if (Array.isArray(value)) return 'a list'
  if (isBytes(value)) return 'bytes'
  return typeof value === 'object' && value !== null ? 'a dictionary' : String(value)
}
