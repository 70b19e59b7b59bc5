/** `cookie`: the cookie of the HTTP request that opened the connection, of the application or of this library. */

import { usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { randomBytes, toHex } from './bytes.ts'
import { clientAuth } from './client.ts'
import type { AuthMethod, ClientAuth, ConnectionFacts, Identity } from './contract.ts'
import { denied, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

/** Joins by the cookie that the browser sends; a page cannot read it. */
export function cookie(): ClientAuth {
  return clientAuth({ method: 'cookie', begin: () => ({}) })
}

export interface CookieAuthOptions {
  /** The name of the cookie. */
  readonly name: string
  /** Found by the value of the cookie, which is a secret: use a function that looks a web session up. */
  readonly principals: Principals<PrincipalBase & { readonly authid: string }>
}

/**
 * Accepts sessions by a cookie that the application's own HTTP server has set, after a login by password or passkey.
 * Pages of origins that are not listed in `serve` are refused.
 *
 * @example
 * auth: [cookieAuth({ name: 'sid', principals: async (sid) => webSessions.get(sid) })]
 * @throws WampError `wampy.error.usage` for options without a name or principals
 */
export function cookieAuth({ name, principals }: CookieAuthOptions): AuthMethod {
  checkCookieName(name)
  const source = sourceFrom('cookie', principals)
  return {
    name: 'cookie',
    usesCookies: true,
    authenticator: source.authenticator,
    usable: ({ connection }) => connection.cookies?.[name] !== undefined,
    // biome-ignore lint/correctness/useYield: the cookie came with the connection
    async *authenticate(request) {
      const value = request.connection.cookies?.[name]
      const found = value === undefined ? undefined : await source.find(value, request)
      if (!found?.authid) throw denied()
      return identityFrom(found, found.authid, request, source.provider)
    },
  }
}

function checkCookieName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return
  throw usage("a cookie needs a name of letters, digits and !#$%&'*+-.^_`|~")
}

export interface LoginCookieOptions {
  /** Default `wampy`. */
  readonly name?: string | undefined
  /** Seconds for which a login is remembered. Default 604,800, a week. */
  readonly maxAge?: number | undefined
  /** Default `Lax`. `None` needs TLS. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined
  /** Whether browsers send it over TLS only. Default: if the connection came by TLS, to a trusted proxy too. */
  readonly secure?: boolean | undefined
  /** Logins that are remembered; the oldest are forgotten first. Default 100,000. */
  readonly limit?: number | undefined
}

interface Login {
  readonly identity: Identity
  readonly until: number
}

/**
 * Remembers logins by a cookie that `serve` sets when a connection is opened: HttpOnly, SameSite, and Secure over TLS. A
 * session that logs in by another method is remembered, and the browser's next connections join by `cookie`. A browser that is
 * still remembered when another login follows, as another user or in another realm, is not remembered for that one.
 *
 * @example
 * const cookies = new LoginCookies()
 * const router = new Router({ auth: [cookies.auth, scramAuth(users)] })
 * await serve(router, { cookies, origins: ['https://example.com'] })
 */
export class LoginCookies {
  readonly name: string
  /** The authentication method for the router's option `auth`. */
  readonly auth: AuthMethod
  readonly #maxAge: number
  readonly #sameSite: string
  readonly #secure: boolean | undefined
  readonly #limit: number
  /** By the value of the cookie, and by realm: a login counts in its own realm only. */
  readonly #logins = new Map<string, Map<Uri, Login>>()

  /** @throws WampError `wampy.error.usage` for a name that a cookie cannot have */
  constructor({
    name = 'wampy',
    maxAge = 604_800,
    sameSite = 'Lax',
    secure,
    limit = 100_000,
  }: LoginCookieOptions = {}) {
    checkCookieName(name)
    this.name = name
    this.#maxAge = maxAge
    this.#sameSite = sameSite
    this.#secure = secure
    this.#limit = limit
    this.auth = {
      name: 'cookie',
      usesCookies: true,
      usable: ({ connection, realm }) => this.#find(connection.cookies?.[name], realm) !== undefined,
      authenticate: ({ connection, realm }) => {
        const found = this.#find(connection.cookies?.[name], realm)
        if (!found) throw denied()
        return { ...found, authprovider: 'cookie', staticPrincipal: false }
      },
    }
  }

  /** Forgets the logins of an authid: its sessions stay, and its next connections have to log in again. */
  forget(authid: string): void {
    this.forgetWhere((identity) => identity.authid === authid)
  }

  /** Forgets the logins for which the function returns true. */
  forgetWhere(matches: (identity: Identity, realm: Uri) => boolean): void {
    for (const [value, logins] of this.#logins) {
      for (const [realm, { identity }] of logins) if (matches(identity, realm)) this.#forget(value, realm)
    }
  }

  #forget(value: string, realm: Uri): void {
    const logins = this.#logins.get(value)
    logins?.delete(realm)
    if (logins?.size === 0) this.#logins.delete(value)
  }

  /**
   * For servers: the facts about a new connection, and the `Set-Cookie` header for the answer to its HTTP request.
   * `secure` is true if the browser reached the server by TLS.
   */
  issue(facts: ConnectionFacts, secure: boolean): { readonly facts: ConnectionFacts; readonly header: string } {
    const { name } = this
    const known = facts.cookies?.[name]
    // A value of somebody else's making is never adopted: it could have been planted in the browser.
    const adopted = known !== undefined && this.#counts(known)
    const value = adopted ? known : toHex(randomBytes(32))
    const attributes = `Path=/; Max-Age=${this.#maxAge}; HttpOnly; SameSite=${this.#sameSite}${(this.#secure ?? secure) ? '; Secure' : ''}`
    return {
      header: `${name}=${value}; ${attributes}`,
      facts: {
        ...facts,
        cookies: { ...facts.cookies, [name]: value },
        remember: (identity, realm) => {
          // Whoever has planted the cookie of a login of their own in this browser must not share those of its user.
          if (adopted && this.#find(value, realm)?.authid !== identity.authid) {
            this.#forget(value, realm)
            return
          }
          const logins = this.#logins.get(value) ?? new Map<Uri, Login>()
          const until = Math.min(identity.expires ?? Infinity, Date.now() + 1000 * this.#maxAge)
          logins.set(realm, { identity, until })
          // Moves it to the end, as the latest.
          this.#logins.delete(value)
          this.#logins.set(value, logins)
          if (this.#logins.size > this.#limit) this.#logins.delete(this.#logins.keys().next().value as string)
        },
        forget: (realm) => this.#forget(value, realm),
      },
    }
  }

  /** True if the cookie remembers a login that has not expired. */
  #counts(value: string): boolean {
    return [...(this.#logins.get(value)?.keys() ?? [])].some((realm) => this.#find(value, realm) !== undefined)
  }

  #find(value: string | undefined, realm: Uri): Identity | undefined {
    const login = value === undefined ? undefined : this.#logins.get(value)?.get(realm)
    if (value === undefined || !login) return undefined
    if (login.until > Date.now()) return login.identity
    this.#forget(value, realm)
    return undefined
  }
}
