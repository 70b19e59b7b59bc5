/** The dictionaries of WAMP messages: the keys that this library reads or writes. Any other key passes untouched. */

import type { Id, Uri } from './messages.ts'
import type { CancelMode, InvokePolicy, MatchPolicy } from './words.ts'

export type { CancelMode, InvokePolicy, MatchPolicy } from './words.ts'

/** The items of a payload; their values are checked when they leave this process. */
export type List = readonly unknown[]
/** A dictionary with string keys. */
export type Dict = Readonly<Record<string, unknown>>

/** `{ caller: { features: { call_canceling: true } } }`: the roles in HELLO and WELCOME. */
export type Roles = Readonly<Record<string, { readonly features?: Readonly<Record<string, boolean>> }>>

/** A dictionary type without its index signature: only the keys that it names. */
export type KnownKeys<T> = { [K in keyof T as string extends K ? never : K]: T[K] }

/** Sessions of other routers that a message has passed through; checked and ignored here. */
export interface ForwardKeys {
  readonly forward_for?: readonly Dict[]
}

export interface HelloDetails extends Dict {
  readonly roles: Roles
  readonly agent?: string
  readonly authmethods?: readonly string[]
  readonly authid?: string
  readonly authextra?: Dict
  /** Specific to this library: the client sends something at least this often, in milliseconds; otherwise it counts as lost. */
  readonly _speaks_every?: number
}

export interface WelcomeDetails extends Dict {
  readonly roles: Roles
  readonly agent?: string
  readonly realm?: Uri
  readonly authid?: string
  readonly authrole?: string
  readonly authmethod?: string
  readonly authprovider?: string
  readonly authextra?: Dict
  /** The greatest length of a message to the router, in bytes: a key of this library. */
  readonly _max_message?: number
}

/** Details of ABORT and GOODBYE. */
export interface ClosingDetails extends Dict {
  readonly message?: string
}

export interface WireSubscribeOptions extends Dict, ForwardKeys {
  readonly match?: MatchPolicy
  readonly get_retained?: boolean
  readonly nkey?: string
}

export interface WirePublishOptions extends Dict, PassthruKeys, ForwardKeys {
  readonly acknowledge?: boolean
  readonly exclude_me?: boolean
  readonly exclude?: readonly Id[]
  readonly exclude_authid?: readonly string[]
  readonly exclude_authrole?: readonly string[]
  readonly eligible?: readonly Id[]
  readonly eligible_authid?: readonly string[]
  readonly eligible_authrole?: readonly string[]
  readonly disclose_me?: boolean
  readonly retain?: boolean
  readonly rkey?: string
  readonly transaction_hash?: string
}

export interface WireEventDetails extends Dict, PassthruKeys, ForwardKeys {
  readonly publisher?: Id
  readonly publisher_authid?: string
  readonly publisher_authrole?: string
  readonly topic?: Uri
  readonly trustlevel?: number
  readonly retained?: boolean
  readonly transaction_hash?: string
  readonly x_acknowledged_delivery?: boolean
}

export interface WireRegisterOptions extends Dict, ForwardKeys {
  readonly match?: MatchPolicy
  readonly invoke?: InvokePolicy
  readonly disclose_caller?: boolean
  readonly forward_timeout?: boolean
  readonly concurrency?: number
  readonly force_reregister?: boolean
}

export interface WireCallOptions extends Dict, PassthruKeys, ForwardKeys {
  readonly receive_progress?: boolean
  readonly progress?: boolean
  readonly timeout?: number
  readonly disclose_me?: boolean
  readonly runmode?: string
  readonly rkey?: string
}

export interface WireCancelOptions extends Dict, ForwardKeys {
  readonly mode?: CancelMode
}

export interface InvocationDetails extends Dict, PassthruKeys, ForwardKeys {
  readonly receive_progress?: boolean
  readonly progress?: boolean
  readonly timeout?: number
  readonly caller?: Id
  readonly caller_authid?: string
  readonly caller_authrole?: string
  readonly procedure?: Uri
  readonly trustlevel?: number
}

export interface WireInterruptOptions extends Dict, ForwardKeys {
  readonly mode?: CancelMode
  readonly reason?: Uri
}

export interface ResultDetails extends Dict, PassthruKeys, ForwardKeys {
  readonly progress?: boolean
}

export interface WireYieldOptions extends Dict, PassthruKeys, ForwardKeys {
  readonly progress?: boolean
}

/** Payload passthru mode, which is on if there is a scheme. */
export interface PassthruKeys {
  readonly ppt_scheme?: string
  readonly ppt_serializer?: string
  readonly ppt_cipher?: string
  readonly ppt_keyid?: string
}
