/** The type of every known option and detail key that a router reads from a client: a wrong one is a violation. */

import * as codes from './codes.ts'
import { violation } from './error.ts'
import { isId } from './ids.ts'
import type { Message } from './messages.ts'
import { formatValue, isDict, nameOf } from './validate.ts'

type Test = readonly [claim: string, holds: (value: unknown) => boolean]
type Keys = Readonly<Record<string, Test>>

const flag: Test = ['true or false', (value) => typeof value === 'boolean']
// However great: there are clients for which the greatest integer of their language means "for ever".
const count: Test = [
  'a whole number from 0',
  (value) => (Number.isInteger(value) || typeof value === 'bigint') && (value as number) >= 0,
]
const text: Test = ['text', (value) => typeof value === 'string']
const name: Test = ['text that is not empty', (value) => typeof value === 'string' && value !== '']
const dict: Test = ['a dictionary', isDict]
const ids: Test = ['a list of ids', (value) => Array.isArray(value) && value.every(isId)]
const texts: Test = [
  'a list of texts',
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
]
const roles: Test = ['a dictionary of dictionaries', (value) => isDict(value) && Object.values(value).every(isRole)]
const forwarders: Test = ['a list of dictionaries', (value) => Array.isArray(value) && value.every(isDict)]
const oneOf = (...words: string[]): Test => [words.join(', '), (value) => words.includes(value as string)]

function isRole(value: unknown): boolean {
  return isDict(value) && (value['features'] === undefined || isDict(value['features']))
}

// Null prototypes: a peer's key such as "constructor" must not find anything.
const table = (keys: Keys): Keys => Object.assign(Object.create(null), keys)

const match = oneOf('exact', 'prefix', 'wildcard')
const passthru: Keys = { ppt_scheme: name, ppt_serializer: text, ppt_cipher: text, ppt_keyid: text }

const BY_CODE: (readonly [place: number, keys: Keys] | undefined)[] = []
BY_CODE[codes.HELLO] = [
  2,
  table({ roles, agent: text, authmethods: texts, authid: text, authextra: dict, _speaks_every: count }),
]
BY_CODE[codes.ABORT] = [1, table({ message: text })]
BY_CODE[codes.GOODBYE] = [1, table({ message: text })]
BY_CODE[codes.SUBSCRIBE] = [2, table({ match, get_retained: flag, nkey: text, forward_for: forwarders })]
BY_CODE[codes.UNSUBSCRIBE] = [3, table({ forward_for: forwarders })]
BY_CODE[codes.PUBLISH] = [
  2,
  table({
    ...passthru,
    acknowledge: flag,
    exclude_me: flag,
    exclude: ids,
    exclude_authid: texts,
    exclude_authrole: texts,
    eligible: ids,
    eligible_authid: texts,
    eligible_authrole: texts,
    disclose_me: flag,
    retain: flag,
    rkey: text,
    forward_for: forwarders,
    transaction_hash: text,
  }),
]
BY_CODE[codes.REGISTER] = [
  2,
  table({
    match,
    invoke: oneOf('single', 'roundrobin', 'random', 'first', 'last'),
    disclose_caller: flag,
    forward_timeout: flag,
    concurrency: count,
    force_reregister: flag,
    forward_for: forwarders,
  }),
]
BY_CODE[codes.UNREGISTER] = [3, table({ forward_for: forwarders })]
BY_CODE[codes.CALL] = [
  2,
  table({
    ...passthru,
    receive_progress: flag,
    progress: flag,
    timeout: count,
    disclose_me: flag,
    runmode: text,
    rkey: text,
    forward_for: forwarders,
  }),
]
BY_CODE[codes.CANCEL] = [2, table({ mode: oneOf('skip', 'kill', 'killnowait'), forward_for: forwarders })]
BY_CODE[codes.YIELD] = [2, table({ ...passthru, progress: flag, forward_for: forwarders })]
BY_CODE[codes.ERROR] = [3, table({ ...passthru, forward_for: forwarders })]

/** Checks the known keys of a message's dictionary; throws a protocol violation. Unknown keys pass. */
export function checkKeys(message: Message): void {
  const found = BY_CODE[message[0]]
  if (!found) return
  const [place, keys] = found
  const given = message[place] as Record<string, unknown> | undefined
  for (const key in given) {
    const test = keys[key]
    if (test && !test[1](given[key])) {
      throw violation(`${nameOf(message[0])}[${place}].${key} must be ${test[0]}, got ${formatValue(given[key])}`)
    }
  }
}
