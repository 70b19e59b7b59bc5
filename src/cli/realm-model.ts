/** What is in a realm at the moment, by its meta API: listed now and then, and kept current by meta events. */

import type { WampClient } from '../client/wamp-client.ts'
import { isId } from '../protocol/ids.ts'
import type { Id, Uri } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import { isDict } from '../protocol/validate.ts'
import { askMeta, idsIn, isGone } from './meta-pages.ts'

/** The kinds of records, as the meta API names them. */
export const RECORD_KINDS = ['session', 'registration', 'subscription'] as const

export type RecordKind = (typeof RECORD_KINDS)[number]

/** A record; without details until they have been requested. */
export interface RealmRecord {
  readonly id: Id
  /** What the router reveals; for a registration or subscription also `members`, the number of its sessions. */
  details?: Dict
}

/** The procedure that returns the number of sessions of a record. */
const COUNTS: Readonly<Partial<Record<RecordKind, Uri>>> = {
  registration: 'wamp.registration.count_callees',
  subscription: 'wamp.subscription.count_subscribers',
}

/** Details requested at once. Each is a message or two for the router. */
const MOST_AT_ONCE = 100

export class RealmModel {
  readonly records: Readonly<Record<RecordKind, Map<Id, RealmRecord>>> = {
    session: new Map(),
    registration: new Map(),
    subscription: new Map(),
  }
  /** Sessions that have joined and left since the beginning. */
  joined = 0
  left = 0
  readonly #client: WampClient

  constructor(client: WampClient) {
    this.#client = client
  }

  /** Listens to meta events, and lists what is there. May be called again, for what was missed. */
  async watch(signal: AbortSignal): Promise<void> {
    await this.#client.subscribe('wamp.', (args, _, { topic }) => this.#heed(topic, args), { match: 'prefix', signal })
    await this.list()
  }

  /** @throws WampError of a router without the meta API, or one that does not allow its use */
  async list(): Promise<void> {
    for (const kind of RECORD_KINDS) {
      const ids = new Set(idsIn(await askMeta(this.#client, `wamp.${kind}.list`, [])))
      const records = this.records[kind]
      for (const id of records.keys()) if (!ids.has(id)) records.delete(id)
      for (const id of ids) if (!records.has(id)) records.set(id, { id })
    }
    this.records.session.delete(this.#client.session.id)
  }

  /** Requests details that are missing, in the order of the records. Resolves to false if none was missing. */
  async complete(kind: RecordKind, wanted: Iterable<RealmRecord>): Promise<boolean> {
    const missing: RealmRecord[] = []
    for (const record of wanted) {
      if (!record.details && missing.push(record) === MOST_AT_ONCE) break
    }
    await Promise.all(missing.map((record) => this.#ask(kind, record)))
    return missing.length > 0
  }

  async #ask(kind: RecordKind, record: RealmRecord): Promise<void> {
    const count = COUNTS[kind]
    try {
      const [details, members] = await Promise.all([
        askMeta(this.#client, `wamp.${kind}.get`, [record.id]),
        count && askMeta(this.#client, count, [record.id]),
      ])
      record.details = { ...(isDict(details) ? details : {}), ...(count && { members }) }
    } catch (error) {
      if (!isGone(error)) throw error
      this.records[kind].delete(record.id)
    }
  }

  #heed(topic: Uri, [first, second]: List): void {
    const [, name, what] = /^wamp\.(\w+)\.on_(\w+)$/.exec(topic) ?? []
    const kind = RECORD_KINDS.find((each) => each === name)
    if (!kind) return
    const records = this.records[kind]
    const add = (details: unknown, key: string, more: Dict): void => {
      const id = isDict(details) ? details[key] : undefined
      if (isId(id)) records.set(id, { id, details: { ...(details as Dict), ...more } })
    }
    if (what === 'join') {
      this.joined++
      add(first, 'session', {})
    } else if (what === 'leave') {
      this.left++
      records.delete(first as Id)
    } else if (what === 'create') add(second, 'id', { members: 0 })
    else if (what === 'delete') records.delete(second as Id)
    else {
      // Counted once more where the number is not known.
      const record = records.get(second as Id)
      const change = what === 'register' || what === 'subscribe' ? 1 : -1
      const { members } = record?.details ?? {}
      if (record?.details && typeof members === 'number')
        record.details = { ...record.details, members: members + change }
    }
  }
}
