/** The layout of every message in one table. A message from a peer is checked against it once; then its types hold. */

import * as codes from './codes.ts'
import { violation } from './error.ts'
import { isId } from './ids.ts'
import type { Code } from './messages.ts'

/** The kind of an element of a message. */
export const ID = 0
/** A request id, or the 0 that marks a revocation. */
export const ID_OR_ZERO = 1
export const DICT = 2
/** A URI or other text; the role that reads it checks its syntax. */
export const TEXT = 3
/** The type of request that an ERROR answers. */
export const REQUEST = 4
export type Kind = typeof ID | typeof ID_OR_ZERO | typeof DICT | typeof TEXT | typeof REQUEST

export interface Layout {
  readonly name: string
  readonly code: Code
  /** Kinds of the elements between the code and the payload. */
  readonly kinds: readonly Kind[]
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

function layout(code: Code, name: string, kinds: readonly Kind[], tail: 'payload' | 'dict' | '' = ''): void {
  const least = kinds.length + 1
  const all: readonly Kind[] = tail === 'dict' ? [...kinds, DICT] : kinds
  LAYOUTS[code] = {
    name,
    code,
    kinds: all,
    least,
    most: all.length + 1,
    payload: tail === 'payload',
    dict: all.indexOf(DICT) + 1,
  }
}

layout(codes.HELLO, 'HELLO', [TEXT, DICT])
layout(codes.WELCOME, 'WELCOME', [ID, DICT])
layout(codes.ABORT, 'ABORT', [DICT, TEXT], 'payload')
layout(codes.CHALLENGE, 'CHALLENGE', [TEXT, DICT])
layout(codes.AUTHENTICATE, 'AUTHENTICATE', [TEXT, DICT])
layout(codes.GOODBYE, 'GOODBYE', [DICT, TEXT])
layout(codes.ERROR, 'ERROR', [REQUEST, ID, DICT, TEXT], 'payload')
layout(codes.PUBLISH, 'PUBLISH', [ID, DICT, TEXT], 'payload')
layout(codes.PUBLISHED, 'PUBLISHED', [ID, ID])
layout(codes.SUBSCRIBE, 'SUBSCRIBE', [ID, DICT, TEXT])
layout(codes.SUBSCRIBED, 'SUBSCRIBED', [ID, ID])
layout(codes.UNSUBSCRIBE, 'UNSUBSCRIBE', [ID, ID], 'dict')
layout(codes.UNSUBSCRIBED, 'UNSUBSCRIBED', [ID_OR_ZERO], 'dict')
layout(codes.EVENT, 'EVENT', [ID, ID, DICT], 'payload')
layout(codes.CALL, 'CALL', [ID, DICT, TEXT], 'payload')
layout(codes.CANCEL, 'CANCEL', [ID, DICT])
layout(codes.RESULT, 'RESULT', [ID, DICT], 'payload')
layout(codes.REGISTER, 'REGISTER', [ID, DICT, TEXT])
layout(codes.REGISTERED, 'REGISTERED', [ID, ID])
layout(codes.UNREGISTER, 'UNREGISTER', [ID, ID], 'dict')
layout(codes.UNREGISTERED, 'UNREGISTERED', [ID_OR_ZERO], 'dict')
layout(codes.INVOCATION, 'INVOCATION', [ID, ID, DICT], 'payload')
layout(codes.INTERRUPT, 'INTERRUPT', [ID, DICT])
layout(codes.YIELD, 'YIELD', [ID, DICT], 'payload')

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
    const kind = kinds[i - 1] as Kind
    const value = elements[i]
    if (isA(kind, value, elements.length)) continue
    throw violation(`${name}[${i}] must be ${EXPECTED[kind]}, got ${formatValue(value)}`)
  }
}

/** By kind. */
const EXPECTED = ['an id', 'an id', 'a dictionary', 'text', 'the code of a request']

function isA(kind: Kind, value: unknown, length: number): boolean {
  switch (kind) {
    case ID:
      return isId(value)
    case DICT:
      return isDict(value)
    case TEXT:
      return typeof value === 'string'
    case ID_OR_ZERO:
      // 0 marks a revocation; a third element names what it revokes.
      return isId(value) || (value === 0 && length === 3)
    case REQUEST:
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
export function checkPayload(layout: Layout, args: unknown, kwargs: unknown): void {
  if (!Array.isArray(args)) throw violation(`${layout.name}: args must be a list, got ${formatValue(args)}`)
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw violation(`${layout.name}: kwargs must be a dictionary, got ${formatValue(kwargs)}`)
  }
}

/** True if a decoded value is a dictionary. */
export function isDict(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** Formats a value for an error message: short and on one line, whatever a peer sent. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'object' && value !== null ? 'a dictionary' : String(value)
}
