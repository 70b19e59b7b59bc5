/** HELLO to WELCOME: joins a realm on a link, or rejects with the reason. */

import type { AuthOffer } from '../../auth/contract.ts'
import { AUTHENTICATE, CHALLENGE, HELLO, WELCOME } from '../../protocol/codes.ts'
import { violation, WampError } from '../../protocol/error.ts'
import { type KeyType, keyTypeOf } from '../../protocol/keys.ts'
import type { Uri } from '../../protocol/messages.ts'
import { AUTHENTICATION_FAILED, CONNECTION_LOST } from '../../protocol/names.ts'
import type { Dict, Roles } from '../../protocol/options.ts'
import { type Table, table } from '../../session/handler-table.ts'
import { refusing, type SessionEnd } from '../../session/session.ts'
import type { ClientSession } from '../session/client-session.ts'

export interface Joining {
  readonly realm: Uri
  readonly agent: string
  /** The `roles` of HELLO. */
  readonly announced: Roles
  /** The table that WELCOME installs, before any later message is read. */
  readonly established: Table<ClientSession>
}

/** While an answer is awaited, only ABORT is legal. */
const ANSWERING: Table<ClientSession> = /* @__PURE__ */ table<ClientSession>(refusing)

/** Turns the end of a session into an error. */
export function endOf(end: SessionEnd): WampError {
  return new WampError(end.reason ?? CONNECTION_LOST, [end.text])
}

/** Rejects with the reason of an ABORT or with `connection_lost`. When the signal aborts, it drops the link. */
export async function join(
  session: ClientSession,
  { realm, agent, announced, established }: Joining,
  signal: AbortSignal,
  details: Dict = {},
  offer?: AuthOffer,
): Promise<void> {
  const drop = () => session.drop('the attempt to join was given up')
  signal.addEventListener('abort', drop)
  try {
    await new Promise<void>((resolve, reject) => {
      session.finished.promise.then((end) => reject(endOf(end)))
      const waiting = table<ClientSession>(refusing, {
        [CHALLENGE]: ([, method, extra]) => {
          if (!offer) throw violation(`CHALLENGE for ${method}, which was not offered`)
          session.become(ANSWERING)
          offer
            .answer(method, extra)
            .then(({ signature, extra }) => {
              // Before AUTHENTICATE is sent: the router may answer at once.
              session.become(waiting)
              session.send([AUTHENTICATE, signature, extra])
            })
            .catch((error) => {
              reject(error)
              // The reason may be this side's own.
              const reason = error.uri.startsWith('wampy.') ? AUTHENTICATION_FAILED : error.uri
              session.abort(reason, 'the client could not answer the CHALLENGE')
            })
        },
        [WELCOME]: (message) => {
          const [expected, holds] = keyTypeOf('roles') as KeyType
          if (!holds(message[2].roles)) throw violation(`WELCOME[2].roles must be ${expected}`)
          try {
            offer?.welcome(message[2])
          } catch (error) {
            reject(error)
            throw error
          }
          session.welcome(message, realm)
          session.become(established)
          resolve()
        },
      })
      session.begin(waiting)
      session.send([HELLO, realm, { agent, roles: announced, ...details, ...offer?.details }])
      if (signal.aborted) drop()
    })
  } finally {
    signal.removeEventListener('abort', drop)
  }
}
