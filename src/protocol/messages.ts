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
  CallOptions,
  CancelOptions,
  Dict,
  EventDetails,
  HelloDetails,
  InterruptOptions,
  InvocationDetails,
  PublishOptions,
  RegisterOptions,
  ResultDetails,
  SubscribeOptions,
  WelcomeDetails,
  YieldOptions,
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
export type Hello = [code: typeof HELLO, realm: Uri, details: HelloDetails]
/** Router -> client: the session is established. */
export type Welcome = [code: typeof WELCOME, session: Id, details: WelcomeDetails]
/** Either side: the session ends at once, with no answer. */
export type Abort = [code: typeof ABORT, details: Dict, reason: Uri, payload?: Payload | undefined]
/** Router -> client: a request for proof of identity. */
export type Challenge = [code: typeof CHALLENGE, method: string, extra: Dict]
/** Client -> router: the proof. */
export type Authenticate = [code: typeof AUTHENTICATE, signature: string, extra: Dict]
/** Either side: the session ends; answered by a GOODBYE. */
export type Goodbye = [code: typeof GOODBYE, details: Dict, reason: Uri]
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
export type Publish = [
  code: typeof PUBLISH,
  request: Id,
  options: PublishOptions,
  topic: Uri,
  payload?: Payload | undefined,
]
/** Broker -> publisher, if it asked for acknowledgement. */
export type Published = [code: typeof PUBLISHED, request: Id, publication: Id]
/** Subscriber -> broker. */
export type Subscribe = [code: typeof SUBSCRIBE, request: Id, options: SubscribeOptions, topic: Uri]
/** Broker -> subscriber. */
export type Subscribed = [code: typeof SUBSCRIBED, request: Id, subscription: Id]
/** Subscriber -> broker. */
export type Unsubscribe = [code: typeof UNSUBSCRIBE, request: Id, subscription: Id, options?: Dict]
/** Broker -> subscriber; with request 0 and details it revokes a subscription. */
export type Unsubscribed = [code: typeof UNSUBSCRIBED, request: Id | 0, details?: Dict]
/** Broker -> subscriber. */
export type Event = [
  code: typeof EVENT,
  subscription: Id,
  publication: Id,
  details: EventDetails,
  payload?: Payload | undefined,
]

/** Caller -> dealer. */
export type Call = [code: typeof CALL, request: Id, options: CallOptions, procedure: Uri, payload?: Payload | undefined]
/** Caller -> dealer. */
export type Cancel = [code: typeof CANCEL, request: Id, options: CancelOptions]
/** Dealer -> caller. */
export type Result = [code: typeof RESULT, request: Id, details: ResultDetails, payload?: Payload | undefined]
/** Callee -> dealer. */
export type Register = [code: typeof REGISTER, request: Id, options: RegisterOptions, procedure: Uri]
/** Dealer -> callee. */
export type Registered = [code: typeof REGISTERED, request: Id, registration: Id]
/** Callee -> dealer. */
export type Unregister = [code: typeof UNREGISTER, request: Id, registration: Id, options?: Dict]
/** Dealer -> callee; with request 0 and details it revokes a registration. */
export type Unregistered = [code: typeof UNREGISTERED, request: Id | 0, details?: Dict]
/** Dealer -> callee. */
export type Invocation = [
  code: typeof INVOCATION,
  request: Id,
  registration: Id,
  details: InvocationDetails,
  payload?: Payload | undefined,
]
/** Dealer -> callee. */
export type Interrupt = [code: typeof INTERRUPT, request: Id, options: InterruptOptions]
/** Callee -> dealer. */
export type Yield = [code: typeof YIELD, request: Id, options: YieldOptions, payload?: Payload | undefined]

export type Message =
  | Hello
  | Welcome
  | Abort
  | Challenge
  | Authenticate
  | Goodbye
  | ErrorMessage
  | Publish
  | Published
  | Subscribe
  | Subscribed
  | Unsubscribe
  | Unsubscribed
  | Event
  | Call
  | Cancel
  | Result
  | Register
  | Registered
  | Unregister
  | Unregistered
  | Invocation
  | Interrupt
  | Yield

export type Code = Message[0]
export type MessageOf<C extends Code> = Extract<Message, [C, ...unknown[]]>
/** Handlers by message code. A role provides such a table, and a session's state is the table that is installed. */
export type Handlers<Context> = { readonly [C in Code]?: (message: MessageOf<C>, context: Context) => void }
