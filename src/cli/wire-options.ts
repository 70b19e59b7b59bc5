/** The option `--options`: the options of a WAMP message, checked by name and type, and merged with the command's own flags. */

import { keyTypeOf } from '../protocol/keys.ts'
import { nearestName } from '../protocol/option-rules.ts'
import type {
  Dict,
  KnownKeys,
  WireCallOptions,
  WirePublishOptions,
  WireRegisterOptions,
  WireSubscribeOptions,
} from '../protocol/options.ts'
import { formatValue } from '../protocol/validate.ts'
import { usageFailure } from './failure.ts'

type NamesOf<Options> = Readonly<Record<keyof KnownKeys<Options>, true>>

const FORWARDED = { forward_for: true } as const
const PASSTHRU = { ppt_scheme: true, ppt_serializer: true, ppt_cipher: true, ppt_keyid: true } as const

const NAMES = {
  // Without `progress`: the command line sends a call in one part.
  CALL: {
    receive_progress: true,
    timeout: true,
    disclose_me: true,
    runmode: true,
    rkey: true,
    ...PASSTHRU,
    ...FORWARDED,
  } satisfies Omit<NamesOf<WireCallOptions>, 'progress'>,
  PUBLISH: {
    acknowledge: true,
    exclude_me: true,
    exclude: true,
    exclude_authid: true,
    exclude_authrole: true,
    eligible: true,
    eligible_authid: true,
    eligible_authrole: true,
    disclose_me: true,
    retain: true,
    rkey: true,
    transaction_hash: true,
    ...PASSTHRU,
    ...FORWARDED,
  } satisfies NamesOf<WirePublishOptions>,
  SUBSCRIBE: { match: true, get_retained: true, nkey: true, ...FORWARDED } satisfies NamesOf<WireSubscribeOptions>,
  REGISTER: {
    match: true,
    invoke: true,
    disclose_caller: true,
    forward_timeout: true,
    concurrency: true,
    force_reregister: true,
    ...FORWARDED,
  } satisfies NamesOf<WireRegisterOptions>,
} as const

/** The option `--options` of a command that sends a message. */
export const optionsOption = (message: keyof typeof NAMES, example: string) =>
  ({
    type: 'string',
    value: 'json',
    help: `options of ${message} in WAMP's spelling: '${example}', @file, or - for standard input`,
  }) as const

/** A flag of a command that states an option of its message. */
export interface FlagOfOption {
  /** `--match` */
  readonly flag: string
  /** Undefined if the flag was not given. */
  readonly value: unknown
}

/**
 * Merges `--options` with the flags that state options of the same message.
 *
 * @throws Failure (exit code 2) for an option of another name or type, and for one that a flag states too
 */
export function mergeOptions(
  message: keyof typeof NAMES,
  given: Dict = {},
  flags: Readonly<Record<string, FlagOfOption>> = {},
): Dict {
  const names = Object.keys(NAMES[message])
  for (const [name, value] of Object.entries(given)) {
    // Names of applications and of routers, which WAMP leaves to them, begin so.
    if (/^(?:_|x_)/.test(name)) continue
    if (!names.includes(name)) {
      const nearest = nearestName(name, names)
      throw usageFailure(
        `--options: ${message} has no option "${name}"${nearest ? `: did you mean ${nearest}?` : `, but ${names.join(', ')}`}`,
      )
    }
    const [expected, holds, , item] = keyTypeOf(name) ?? ['']
    if (holds && !holds(value) && !(item && holds([value]))) {
      throw usageFailure(`--options: ${name} must be ${expected}, got ${formatValue(value)}`)
    }
  }
  const merged: Record<string, unknown> = { ...given }
  for (const [name, { flag, value }] of Object.entries(flags)) {
    if (value === undefined) continue
    if (given[name] !== undefined)
      throw usageFailure(`${flag} and "${name}" in --options are the same option: give one of them`)
    merged[name] = value
  }
  return merged
}
