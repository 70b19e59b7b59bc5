/** The state of a client's connection as one object per change. */

import type { Client } from '../client/client.ts'
import type { ClientEvents, ClientState } from '../client/connection/client-core.ts'
import type { SessionInfo } from '../client/session/client-session.ts'
import type { WampError } from '../protocol/error.ts'
import { type Live, live } from './live.ts'

/** The connection of a client at one moment. */
export interface Connection {
  readonly state: ClientState
  /** The session, while the state is `ready`. */
  readonly session: SessionInfo | undefined
  /** The number of the next attempt, from 1, after a loss or a failed attempt. */
  readonly attempt: number | undefined
  /** When the next attempt begins, in milliseconds since 1970; in the past while it is being made. */
  readonly retryAt: number | undefined
  /** Why the session or the last attempt ended, or why the client has stopped by itself. */
  readonly cause: WampError | undefined
}

/** That of a client that has not started, and of every client on a server that renders. */
export const UNCONNECTED: Connection = {
  state: 'stopped',
  session: undefined,
  attempt: undefined,
  retryAt: undefined,
  cause: undefined,
}

const connections = /* @__PURE__ */ new WeakMap<Client, Live<Connection>>()

/** The connection of a client: the same store each time. */
export function liveConnection(client: Client): Live<Connection> {
  const known = connections.get(client)
  if (known) return known
  /** What the client itself can say. */
  const present = (before: Connection): Connection => {
    const { state } = client
    const session = state === 'ready' ? client.session : undefined
    return state === before.state && session === before.session ? before : { ...UNCONNECTED, state, session }
  }
  const made = live<Connection>(
    present(UNCONNECTED),
    (set) => {
      const listeners: { [Name in keyof ClientEvents]?: ClientEvents[Name] } = {
        state: () => set(present(UNCONNECTED)),
        lost: (cause) => set({ cause }),
        retry: ({ attempt, delay, cause }) => set({ attempt, retryAt: Date.now() + delay, cause }),
        stopped: (cause) => cause && set({ cause }),
      }
      const all = Object.entries(listeners) as [keyof ClientEvents, () => void][]
      for (const [name, listener] of all) client.on(name, listener)
      set(present(made.get()))
      return () => {
        for (const [name, listener] of all) client.off(name, listener)
      }
    },
    present,
  )
  connections.set(client, made)
  return made
}
