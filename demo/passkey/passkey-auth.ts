/** The router's half of the method `passkey`: the cookie that the server sets after the ceremony. */

import { randomBytes } from 'node:crypto'
import { type AuthMethod, WampError } from 'wampy-ts/auth/router'

/** The oldest are forgotten first. */
const MOST_SESSIONS = 10_000

/** Those who have logged in, by the value of their cookie. */
export class WebSessions {
  readonly #users = new Map<string, string>()

  /** Returns the value of a new cookie. */
  begin(user: string): string {
    const sid = randomBytes(32).toString('base64url')
    this.#users.set(sid, user)
    if (this.#users.size > MOST_SESSIONS) this.#users.delete(this.#users.keys().next().value as string)
    return sid
  }

  find(sid: string | undefined): string | undefined {
    return sid === undefined ? undefined : this.#users.get(sid)
  }

  end(sid: string | undefined): void {
    if (sid !== undefined) this.#users.delete(sid)
  }
}

/** Accepts connections whose cookie `sid` belongs to a web session. */
export function passkeyAuth(sessions: WebSessions): AuthMethod {
  return {
    name: 'passkey',
    // The router then refuses pages of origins that `serve` does not list.
    usesCookies: true,
    authenticate({ connection }) {
      const authid = sessions.find(connection.cookies?.['sid'])
      if (authid === undefined) throw new WampError('wamp.error.authentication_failed', ['log in with a passkey first'])
      return { authid, authrole: 'user', authprovider: 'passkey' }
    },
  }
}
