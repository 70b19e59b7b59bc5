/** The 24 messages of WAMP, each written as its line in the specification: a labelled tuple. */

import type {
  ABORT,
  AUTHENTICATE,
  CALL,
  CANCEL,
  CHALLENGE,
  ERROR,
  EVENT,
  GOODBYE,
  HELLO,
  INTERRUPT,
  INVOCATION,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  WELCOME,
  YIELD,
} from './codes.ts'
import type {
  Dict,
  HelloDetails,
  InvocationDetails,
  ResultDetails,
  WelcomeDetails,
  WireCallOptions,
  WireCancelOptions,
  WireEventDetails,
  WireInterruptOptions,
  WirePublishOptions,
  WireRegisterOptions,
  WireSubscribeOptions,
  WireYieldOptions,
} from './options.ts'
import type { Payload } from './payload.ts'

/** An integer from 1 to 2^53, both included (Basic Profile, Identifiers). */
export type Id = number
/** Components separated by dots, such as `com.example.add` (Basic Profile, URIs). */
export type Uri = string

/** The requests that an ERROR may answer. */
export type RequestCode =
  | typeof PUBLISH
  | typeof SUBSCRIBE
  | typeof UNSUBSCRIBE
  | typeof CALL
  | typeof REGISTER
  | typeof UNREGISTER
  | typeof INVOCATION

/** Client -> router, the first message of a session. */
export type HelloMessage = [code: typeof HELLO, realm: Uri, details: HelloDetails]
/** Router -> client: the session is established. */
export type WelcomeMessage = [code: typeof WELCOME, session: Id, details: WelcomeDetails]
/** Either side: the session ends at once, with no answer. */
export type AbortMessage = [code: typeof ABORT, details: Dict, reason: Uri, payload?: Payload | undefined]
/** Router -> client: a request for proof of identity. */
export type ChallengeMessage = [code: typeof CHALLENGE, method: string, extra: Dict]
/** Client -> router: the proof. */
export type AuthenticateMessage = [code: typeof AUTHENTICATE, signature: string, extra: Dict]
/** Either side: the session ends; answered by a GOODBYE. */
export type GoodbyeMessage = [code: typeof GOODBYE, details: Dict, reason: Uri]
/** Router -> client for a request that failed; callee -> dealer for an invocation that failed. */
export type ErrorMessage = [
  code: typeof ERROR,
  type: RequestCode,
  request: Id,
  details: Dict,
  error: Uri,
  payload?: Payload | undefined,
]

/** Publisher -> broker. */
export type PublishMessage = [
  code: typeof PUBLISH,
  request: Id,
  options: WirePublishOptions,
  topic: Uri,
  payload?: Payload | undefined,
]
/** Broker -> publisher, if it asked for acknowledgement. */
export type PublishedMessage = [code: typeof PUBLISHED, request: Id, publication: Id]
/** Subscriber -> broker. */
export type SubscribeMessage = [code: typeof SUBSCRIBE, request: Id, options: WireSubscribeOptions, topic: Uri]
/** Broker -> subscriber. */
export type SubscribedMessage = [code: typeof SUBSCRIBED, request: Id, subscription: Id]
/** Subscriber -> broker. */
export type UnsubscribeMessage = [code: typeof UNSUBSCRIBE, request: Id, subscription: Id, options?: Dict]
/** Broker -> subscriber; with request 0 and details it revokes a subscription. */
export type UnsubscribedMessage = [code: typeof UNSUBSCRIBED, request: Id | 0, details?: Dict]
/** Broker -> subscriber. */
export type EventMessage = [
  code: typeof EVENT,
  subscription: Id,
  publication: Id,
  details: WireEventDetails,
  payload?: Payload | undefined,
]

/** Caller -> dealer. */
export type CallMessage = [
  code: typeof CALL,
  request: Id,
  options: WireCallOptions,
  procedure: Uri,
  payload?: Payload | undefined,
]
/** Caller -> dealer. */
export type CancelMessage = [code: typeof CANCEL, request: Id, options: WireCancelOptions]
/** Dealer -> caller. */
export type ResultMessage = [code: typeof RESULT, request: Id, details: ResultDetails, payload?: Payload | undefined]
/** Callee -> dealer. */
export type RegisterMessage = [code: typeof REGISTER, request: Id, options: WireRegisterOptions, procedure: Uri]
/** Dealer -> callee. */
export type RegisteredMessage = [code: typeof REGISTERED, request: Id, registration: Id]
/** Callee -> dealer. */
export type UnregisterMessage = [code: typeof UNREGISTER, request: Id, registration: Id, options?: Dict]
/** Dealer -> callee; with request 0 and details it revokes a registration. */
export type UnregisteredMessage = [code: typeof UNREGISTERED, request: Id | 0, details?: Dict]
/** Dealer -> callee. */
export type InvocationMessage = [
  code: typeof INVOCATION,
  request: Id,
  registration: Id,
  details: InvocationDetails,
  payload?: Payload | undefined,
]
/** Dealer -> callee. */
export type InterruptMessage = [code: typeof INTERRUPT, request: Id, options: WireInterruptOptions]
/** Callee -> dealer. */
export type YieldMessage = [code: typeof YIELD, request: Id, options: WireYieldOptions, payload?: Payload | undefined]

export type Message =
  | HelloMessage
  | WelcomeMessage
  | AbortMessage
  | ChallengeMessage
  | AuthenticateMessage
  | GoodbyeMessage
  | ErrorMessage
  | PublishMessage
  | PublishedMessage
  | SubscribeMessage
  | SubscribedMessage
  | UnsubscribeMessage
  | UnsubscribedMessage
  | EventMessage
  | CallMessage
  | CancelMessage
  | ResultMessage
  | RegisterMessage
  | RegisteredMessage
  | UnregisterMessage
  | UnregisteredMessage
  | InvocationMessage
  | InterruptMessage
  | YieldMessage

export type Code = Message[0]
export type MessageOf<C extends Code> = Extract<Message, [C, ...unknown[]]>
/** Handlers by message code. A role provides such a table, and a session's state is the table that is installed. */
export type Handlers<Context> = { readonly [C in Code]?: (message: MessageOf<C>, context: Context) => void }
