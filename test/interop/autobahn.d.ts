/** The part of `autobahn` that the tests use; the package ships no types. */

declare module 'autobahn' {
  type List = readonly unknown[]
  type Dict = Readonly<Record<string, unknown>>

  class Result {
    constructor(args?: List, kwargs?: Dict)
    args: List
    kwargs: Dict
  }

  class WampError {
    constructor(error: string, args?: List, kwargs?: Dict)
    error: string
    args: List
    kwargs: Dict
  }

  class Subscription {
    readonly id: number
    readonly on_unsubscribe: Promise<string | undefined>
  }

  class Registration {
    readonly id: number
    readonly on_unregister: Promise<string | undefined>
  }

  /** Progress reaches the third, unless it is configured to use the platform's promises. */
  interface Calling extends Promise<unknown> {
    then<R = unknown, E = never>(
      done?: ((result: unknown) => R | PromiseLike<R>) | null,
      failed?: ((error: WampError) => E | PromiseLike<E>) | null,
      progress?: (result: unknown) => void,
    ): Promise<R | E>
    cancel(options?: Dict): void
  }

  interface Serializer {
    readonly SERIALIZER_ID: string
    readonly BINARY: boolean
  }

  interface Session {
    readonly id: number | null
    /** The value of `disclose_me` if the options have none. */
    caller_disclose_me: boolean
    publisher_disclose_me: boolean
    call(procedure: string, args?: List, kwargs?: Dict, options?: Dict): Calling
    publish(topic: string, args?: List, kwargs?: Dict, options?: Dict): Promise<{ readonly id: number }> | undefined
    subscribe(
      topic: string,
      handler: (args: List, kwargs: Dict, details: Dict) => void,
      options?: Dict,
    ): Promise<Subscription>
    register(
      procedure: string,
      endpoint: (args: List, kwargs: Dict, details: Dict) => unknown,
      options?: Dict,
    ): Promise<Registration>
    unsubscribe(subscription: Subscription): Promise<boolean>
    unregister(registration: Registration): Promise<void>
  }

  interface KeyPair {
    readonly publicKey: Uint8Array
    readonly secretKey: Uint8Array
  }

  interface Options {
    url: string
    realm: string
    serializers?: readonly Serializer[]
    max_retries?: number
    /** In seconds. */
    initial_retry_delay?: number
    use_es6_promises?: boolean
    authmethods?: readonly string[]
    authid?: string
    authextra?: Dict
    onchallenge?: (session: Session, method: string, extra: Dict) => string | Promise<string>
    on_user_error?: (error: unknown) => void
    on_internal_error?: (error: unknown) => void
  }

  class Connection {
    constructor(options: Options)
    onopen: ((session: Session) => void) | undefined
    onclose:
      | ((reason: string, details: { readonly reason: string | null; readonly message: string | null }) => unknown)
      | undefined
    readonly isConnected: boolean
    open(): void
    close(reason?: string, message?: string): void
  }

  const autobahn: {
    readonly Connection: typeof Connection
    readonly Result: typeof Result
    readonly Error: typeof WampError
    readonly serializer: {
      readonly JSONSerializer: new () => Serializer
      readonly CBORSerializer: new () => Serializer
      readonly MsgpackSerializer: new () => Serializer
    }
    readonly auth_cra: {
      sign(key: string, challenge: string): string
      derive_key(secret: string, salt: string, iterations?: number, keylen?: number): string
    }
    readonly auth_cryptosign: {
      /** From the seed in base64 that `localStorage` has under the name. */
      load_private_key(name: string): KeyPair
      public_key(key: KeyPair): string
      sign_challenge(key: KeyPair, extra: Dict): string
    }
    readonly log: { warn: (...args: unknown[]) => void }
  }

  export type { Calling, Connection, Dict, List, Registration, Result, Serializer, Session, Subscription }
  export default autobahn
}
