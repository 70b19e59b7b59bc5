/** The dictionaries of WAMP messages: the keys that this library reads or writes. Any other key passes untouched. */

import type { Id, Uri } from './messages.ts'

/** What a payload may hold; checked where a value leaves this process. */
export type List = readonly unknown[]
/** A dictionary with string keys. */
export type Dict = Readonly<Record<string, unknown>>

/** `{ caller: { features: { call_canceling: true } } }`: who plays what, as HELLO and WELCOME say it. */
export type Roles = Readonly<Record<string, { readonly features?: Readonly<Record<string, boolean>> }>>

export type MatchPolicy = 'exact' | 'prefix' | 'wildcard'
export type InvokePolicy = 'single' | 'roundrobin' | 'random' | 'first' | 'last'

export interface HelloDetails extends Dict {
  readonly roles: Roles
  readonly agent?: string
  readonly authmethods?: readonly string[]
  readonly authid?: string
  readonly authextra?: Dict
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
}

export interface SubscribeOptions extends Dict {
  readonly match?: MatchPolicy
}

export interface PublishOptions extends Dict {
  readonly acknowledge?: boolean
  readonly exclude_me?: boolean
}

export interface EventDetails extends Dict {
  readonly publisher?: Id
  readonly topic?: Uri
}

export interface RegisterOptions extends Dict {
  readonly match?: MatchPolicy
  readonly invoke?: InvokePolicy
}

export interface CallOptions extends Dict {
  readonly timeout?: number
}

export interface InvocationDetails extends Dict {
  readonly caller?: Id
  readonly procedure?: Uri
}

export interface ResultDetails extends Dict {
  readonly progress?: boolean
}

export interface YieldOptions extends Dict {
  readonly progress?: boolean
}
