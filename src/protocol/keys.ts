/** The types of all option and detail keys of WAMP in one table, with the checks of incoming and outgoing dictionaries. */

import { ABORT, GOODBYE } from './codes.ts'
import { violation } from './error.ts'
import { isId } from './ids.ts'
import type { Id, Message } from './messages.ts'
import { FLAG, isText, STRING, type WireType } from './option-rules.ts'
import type * as dictionaries from './options.ts'
import { formatValue, isDict, layoutOf } from './validate.ts'
import { anyOf, CANCEL_MODES, INVOKE_POLICIES, isOneOf, MATCH_POLICIES } from './words.ts'

/** The type of a key's values: its text for errors, its check, and its type on the wire. */
export type KeyType<T = unknown> = readonly [
  expected: string,
  holds: (value: unknown) => value is T,
  wire: WireType,
  /** True if a publisher may pass one item instead of a list. */
  item?: true,
]

type Dictionaries =
  | dictionaries.HelloDetails
  | dictionaries.WelcomeDetails
  | dictionaries.ClosingDetails
  | dictionaries.WireSubscribeOptions
  | dictionaries.WirePublishOptions
  | dictionaries.WireEventDetails
  | dictionaries.WireRegisterOptions
  | dictionaries.WireCallOptions
  | dictionaries.WireCancelOptions
  | dictionaries.InvocationDetails
  | dictionaries.WireInterruptOptions
  | dictionaries.ResultDetails
  | dictionaries.WireYieldOptions

type KeyOf<T> = T extends unknown ? keyof dictionaries.KnownKeys<T> : never
type KnownKey = KeyOf<Dictionaries>
/** The type of a key, which is the same in every dictionary that has it. */
type KeyValue<T, K extends KnownKey> = T extends { readonly [P in K]?: unknown }
  ? dictionaries.KnownKeys<T>[K & KeyOf<T>]
  : never

const listOf =
  <T>(holds: (item: unknown) => item is T) =>
  (value: unknown): value is readonly T[] =>
    Array.isArray(value) && value.every(holds)

// Without an upper bound: some clients send the greatest integer of their language for "no limit".
const wholeNumber: KeyType<number> = [
  'a whole number from 0',
  (value): value is number => (Number.isInteger(value) || typeof value === 'bigint') && (value as number) >= 0,
  'number',
]
const name: KeyType<string> = [
  'text that is not empty',
  (value): value is string => isText(value) && value !== '',
  'string',
]
const id: KeyType<Id> = ['an id', isId, 'number']
const idList: KeyType<readonly Id[]> = ['a list of ids', listOf(isId), 'list', true]
const textList: KeyType<readonly string[]> = ['a list of texts', listOf(isText), 'list', true]
const dict: KeyType<dictionaries.Dict> = ['a dictionary', isDict, 'dict']
const dictList: KeyType<readonly dictionaries.Dict[]> = ['a list of dictionaries', listOf(isDict), 'list']
const roles: KeyType<dictionaries.Roles> = [
  'a dictionary of dictionaries',
  (value): value is dictionaries.Roles =>
    isDict(value) &&
    Object.values(value).every((role) => isDict(role) && (role['features'] === undefined || isDict(role['features']))),
  'dict',
]
const oneOf = <Word extends string>(words: readonly Word[]): KeyType<Word> => [
  anyOf(words),
  (value) => isOneOf(words, value),
  'string',
]

/** A Map, because a peer's key such as "constructor" must not match anything. */
const KEYS: ReadonlyMap<string, KeyType> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries({
    _speaks_every: wholeNumber,
    _max_message: wholeNumber,
    acknowledge: FLAG,
    agent: STRING,
    authextra: dict,
    authid: STRING,
    authmethod: STRING,
    authmethods: textList,
    authprovider: STRING,
    authrole: STRING,
    caller: id,
    caller_authid: STRING,
    caller_authrole: STRING,
    concurrency: wholeNumber,
    disclose_caller: FLAG,
    disclose_me: FLAG,
    eligible: idList,
    eligible_authid: textList,
    eligible_authrole: textList,
    exclude: idList,
    exclude_authid: textList,
    exclude_authrole: textList,
    exclude_me: FLAG,
    force_reregister: FLAG,
    forward_for: dictList,
    forward_timeout: FLAG,
    get_retained: FLAG,
    invoke: oneOf(INVOKE_POLICIES),
    match: oneOf(MATCH_POLICIES),
    message: STRING,
    mode: oneOf(CANCEL_MODES),
    nkey: STRING,
    ppt_cipher: STRING,
    ppt_keyid: STRING,
    ppt_scheme: name,
    ppt_serializer: STRING,
    procedure: STRING,
    progress: FLAG,
    publisher: id,
    publisher_authid: STRING,
    publisher_authrole: STRING,
    realm: STRING,
    reason: STRING,
    receive_progress: FLAG,
    retain: FLAG,
    retained: FLAG,
    rkey: STRING,
    roles,
    runmode: STRING,
    timeout: wholeNumber,
    topic: STRING,
    transaction_hash: STRING,
    trustlevel: wholeNumber,
    x_acknowledged_delivery: FLAG,
  } satisfies { [K in KnownKey]: KeyType<Exclude<KeyValue<Dictionaries, K>, undefined>> }),
)

/** The type of a key's values; undefined for a key that WAMP does not define. */
export function keyTypeOf(key: string): KeyType | undefined {
  return KEYS.get(key)
}

/** Throws a protocol violation if a known key of a message has a wrong value. Unknown keys pass. */
function checkDict(message: Message, isWrong: (type: KeyType, value: unknown) => boolean): void {
  const { name, dict } = layoutOf(message[0])
  const given = message[dict] as Readonly<Record<string, unknown>> | undefined
  if (!dict) return
  for (const key in given) {
    const type = KEYS.get(key)
    const value = given[key]
    if (!type || !isWrong(type, value)) continue
    throw violation(`${name}[${dict}].${key} must be ${type[0]}, got ${formatValue(value)}`)
  }
}

/**
 * Checks the keys that a router reads from a client, which acts on them: their types, and that their texts have at most
 * `longest` characters. Throws a protocol violation.
 */
export function checkKeys(message: Message, longest = Number.POSITIVE_INFINITY): void {
  checkDict(message, breaksRule)
  const { name, dict } = layoutOf(message[0])
  const given = message[dict] as Readonly<Record<string, unknown>>
  // Nothing of the message that ends a session is kept or passed on.
  if (!dict || message[0] === ABORT || message[0] === GOODBYE) return
  for (const key in given) {
    if (!isTooLong(given[key], longest) || !KEYS.has(key)) continue
    throw violation(`${name}[${dict}].${key} must have texts of at most ${longest} characters`)
  }
}

function isTooLong(value: unknown, longest: number): boolean {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'string' && item.length > longest)
  return typeof value === 'string' && value.length > longest
}

function breaksRule([, holds]: KeyType, value: unknown): boolean {
  return !holds(value)
}

/**
 * Checks the types of keys that a client receives from a router and passes on to its user. null passes, because routers
 * send it for unknown values. Throws a protocol violation.
 */
export function checkDetails(message: Message): void {
  // The router ends the session, whatever the details contain.
  if (message[0] !== ABORT && message[0] !== GOODBYE) checkDict(message, hasOtherType)
}

function hasOtherType([, , wire]: KeyType, value: unknown): boolean {
  return value !== null && wire !== typeOf(value)
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (isDict(value)) return 'dict'
  return typeof value === 'bigint' ? 'number' : typeof value
}
