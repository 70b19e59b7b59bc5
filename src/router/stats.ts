/** The statistics of a router: the sum of those of its parts, each of which defines its own. */

import type { RouterBytes } from './member/ledger.ts'
import type { RouterMessages } from './member/traffic.ts'
import { NO_TESTAMENTS, type TestamentStats } from './meta/testaments.ts'
import { NO_OBSERVERS, type ObserverStats } from './observe/observers.ts'
import { type BrokerStats, NO_BROKER } from './pubsub/broker.ts'
import { type DealerStats, NO_DEALER } from './rpc/dealer.ts'

export interface SessionStats {
  readonly sessions: number
  /** How often the connection of a session was not read because the rate of its role was exceeded, since the router was created. */
  readonly throttled: number
  readonly dropped: {
    /** Sessions that were ended: twice as far behind as allowed, behind for too long, or with more held than allowed. */
    readonly sessions: number
    /** Messages that were held when their session ended. */
    readonly held: number
    /** Sessions that were ended because the router's bytes exceeded their limit; stored events count too. */
    readonly memory: number
  }
}

/** The present contents of a router or a realm, and what it has dropped since it was created. */
export type RealmStats = SessionStats & BrokerStats & DealerStats & TestamentStats & ObserverStats

/**
 * The statistics of a realm or of all realms. `bytes` are those of the whole router, because its realms share one limit,
 * and `messages` too, because a link begins and ends outside of a realm.
 */
export type RouterStats = RealmStats & { readonly bytes: RouterBytes; readonly messages: RouterMessages }

/** Counters since the router was created. */
export type RouterDropped = RealmStats['dropped']

export const NO_SESSIONS: SessionStats = { sessions: 0, throttled: 0, dropped: { sessions: 0, held: 0, memory: 0 } }

/** The statistics of a role that the router does not have are 0. */
const ZERO_STATS: RealmStats = total([NO_SESSIONS, NO_BROKER, NO_DEALER, NO_TESTAMENTS, NO_OBSERVERS])

/** Adds up the statistics of all parts, or of all realms. */
export function sumOf(parts: readonly object[]): RealmStats {
  return total([ZERO_STATS, ...parts])
}

function total<Stats>(parts: readonly object[]): Stats {
  const sum: Record<string, unknown> = {}
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      sum[name] = typeof value === 'number' ? Number(sum[name] ?? 0) + value : total([sum[name] ?? {}, value])
    }
  }
  return sum as Stats
}
