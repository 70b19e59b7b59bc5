/** The contracts of authentication methods: a client's half, a router's half, and what they know of a connection. */

import type { Id, Uri } from '../protocol/messages.ts'
import type { Dict } from '../protocol/options.ts'

/**
 * Ties an authentication to its TLS connection, so that nobody in between can relay it: `tls-exporter` (RFC 9266, for
 * TLS 1.3) or `tls-unique` (RFC 5929, for TLS 1.2). Pages have no access to it.
 */
export type ChannelBinding = 'tls-exporter' | 'tls-unique'

/** What Crossbar.io and autobahn for Python do where they differ from the specification. */
export type AuthDialect = 'crossbar'

/**
 * What binds to a connection: 32 bytes for `tls-exporter`, the first Finished message for `tls-unique`. The dialect has
 * `tls-unique` on TLS 1.3 too.
 */
export type BindingSource = (type: ChannelBinding, dialect?: AuthDialect) => Uint8Array | undefined

/** The answer to a CHALLENGE: the `signature` and `extra` of AUTHENTICATE. */
export interface AuthAnswer {
  readonly signature: string
  readonly extra: Dict
}

/** One attempt to join, as a client's methods see it. */
export interface AuthContext {
  readonly realm: Uri
  /** Aborts when the attempt is given up. */
  readonly signal: AbortSignal
  /** Undefined if the connection cannot be bound in this way. */
  readonly channelBinding: BindingSource
}

/** The fields of HELLO that all offered methods share. */
export interface HelloAuth {
  readonly authid?: string | undefined
  readonly authextra: Dict
}

/** The identity in WELCOME. */
export interface WelcomeAuth {
  readonly authid?: string | undefined
  readonly authrole?: string | undefined
  readonly authmethod?: string | undefined
  readonly authprovider?: string | undefined
  readonly authextra?: Dict | undefined
}

/** One attempt by one method of a client. */
export interface AuthAttempt {
  /** The `authid` of HELLO. */
  readonly authid?: string | undefined
  /** Its part of the `authextra` of HELLO. */
  readonly authextra?: Dict | undefined
  /**
   * Answers a CHALLENGE. `hello` is what HELLO contained, with the parts of the other methods. An error ends the attempt;
   * without this function, a CHALLENGE for the method is an error.
   */
  answer?(extra: Dict, hello: HelloAuth): AuthAnswer | Promise<AuthAnswer>
  /** Checks the router's proof in WELCOME, after the last `answer`. An error ends the session before it can be used. */
  welcome?(details: WelcomeAuth): void
}

/** A client's half of an authentication method. */
export interface ClientAuthMethod {
  /** Its name in the `authmethods` of HELLO. */
  readonly method: string
  /** True if `answer` or `welcome` verify that the router knows the secret too. A WELCOME without a CHALLENGE is then refused. */
  readonly provesRouter?: boolean | undefined
  /**
   * Called for each attempt to join, so that credentials can be fetched anew. An error ends the client's attempts; an
   * error whose `retry` is true makes it try again, as after a loss.
   */
  begin(context: AuthContext): AuthAttempt | Promise<AuthAttempt>
}

/** What HELLO offers for a list of methods, and the conversation that follows it. */
export interface AuthOffer {
  /** For HELLO. */
  readonly details: Dict
  /** Answers a CHALLENGE; rejects with the error that ends the attempt. */
  answer(method: string, extra: Dict): Promise<AuthAnswer>
  /** @throws WampError if the router has not proved what a method requires */
  welcome(details: WelcomeAuth): void
}

/** An authentication method for the option `auth` of a client: `clientAuth` makes one. */
export interface ClientAuth extends ClientAuthMethod {
  /** Begins an attempt of all methods of a client. */
  offer(methods: readonly ClientAuth[], context: AuthContext): Promise<AuthOffer>
}

/** A TLS certificate that a client presented, and that the server verified. */
export interface ClientCertificate {
  /** The fields of its subject, such as `{ CN: 'joe', O: 'Example' }`. */
  readonly subject: Readonly<Record<string, string | readonly string[]>>
  readonly issuer: Readonly<Record<string, string | readonly string[]>>
  /** SHA-256 of the certificate: 32 pairs of upper-case hexadecimal digits, separated by colons. */
  readonly fingerprint: string
  readonly serialNumber: string
}

/** The private facts about a connection. They stay in the router's process. */
export interface ConnectionFacts {
  /** The IP address of the other end, without a port; undefined for links within a process. */
  readonly address?: string | undefined
  /** The cookies of the HTTP request that opened the connection. */
  readonly cookies?: Readonly<Record<string, string>> | undefined
  /** Undefined if the client presented none, or an invalid one. */
  readonly certificate?: ClientCertificate | undefined
  readonly channelBinding?: BindingSource | undefined
  /** The greatest length of a message from it in bytes, for a client that cannot know the limit from its transport. */
  readonly maxMessage?: number | undefined
  /** Remembers the identity for later connections of the same browser; called after a login by another method. */
  readonly remember?: ((identity: Identity, realm: Uri) => void) | undefined
  /** Forgets it; called when the client leaves with the reason `wamp.close.logout`. */
  readonly forget?: ((realm: Uri) => void) | undefined
}

/** The HELLO of a session, as a router's authentication method sees it. */
export interface AuthRequest {
  readonly realm: Uri
  /** The id that its WELCOME will carry. */
  readonly session: Id
  readonly authid: string | undefined
  readonly authextra: Dict
  /** The description of its connection. */
  readonly transport: Dict | undefined
  /** The private facts about its connection. */
  readonly connection: ConnectionFacts
  /** Aborts when the session ends before the method is done. */
  readonly signal: AbortSignal
  /**
   * Calls a procedure of this router on behalf of the router, and resolves to its first positional result. `realm` is by
   * default that of the request.
   */
  call(procedure: Uri, args: readonly unknown[], realm?: Uri): Promise<unknown>
}

/** A question to the client: the `extra` of CHALLENGE. */
export interface AuthChallenge {
  readonly extra?: Dict | undefined
}

/** The result of an authentication method. */
export interface Identity {
  readonly authid: string
  readonly authrole: string
  /** The source of the principal; `static` by default. */
  readonly authprovider?: string | undefined
  /** Sent only to the session itself, in its WELCOME. */
  readonly authextra?: Dict | undefined
  /** Private data for the router's decisions; never sent. */
  readonly internal?: unknown
  /** True if the principal was in a table of the router's owner: it may then register procedures that authenticate others. */
  readonly staticPrincipal?: boolean | undefined
  /** The time at which the session ends, in milliseconds since 1970: its client then needs new credentials. */
  readonly expires?: number | undefined
}

/**
 * A router's half of an authentication method: it yields challenges, receives their answers, and returns an identity. An
 * error refuses the session: the URI of a WampError is the reason of the ABORT, any other error becomes
 * `authentication_failed`. If the session ends first, `signal` aborts and the generator is ended where it stands,
 * `finally` included.
 */
export interface AuthMethod {
  /** Its name in the `authmethods` of HELLO. */
  readonly name: string
  /** False if the connection cannot use it: then the client's next method is tried. */
  usable?(request: Pick<AuthRequest, 'realm' | 'authid' | 'authextra' | 'connection'>): boolean
  /** A method that needs no challenge may return the identity, or throw, at once. */
  authenticate(request: AuthRequest): AsyncGenerator<AuthChallenge, Identity, AuthAnswer> | Identity
  /** True if a cookie authenticates: pages of other origins must then be refused, because a browser sends it for them too. */
  readonly usesCookies?: boolean | undefined
  /** The procedure that finds its principals, which only a session with a principal in a table may register. */
  readonly authenticator?: { readonly procedure: Uri; readonly realm: Uri | undefined } | undefined
}
