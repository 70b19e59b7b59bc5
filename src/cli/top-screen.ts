/** The screen of `wampy-ts top`: the tables of a realm as lines of text. */

import type { Dict } from '../protocol/options.ts'
import { sessionCells } from './meta-pages.ts'
import { alignCells } from './output.ts'
import type { RealmModel, RealmRecord, RecordKind } from './realm-model.ts'

interface TopTable {
  readonly kind: RecordKind
  readonly title: string
  readonly head: readonly string[]
  /** Indexes of the columns with numbers. */
  readonly right: readonly number[]
  row(details: Dict, id: string): string[]
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const policies = ({ match, invoke }: Dict): string => [match, invoke].filter(Boolean).join(' ')

export const TOP_TABLES: readonly [TopTable, ...TopTable[]] = [
  {
    kind: 'session',
    title: 'Sessions',
    head: ['SESSION', 'AUTHID', 'ROLE', 'METHOD', 'TRANSPORT', 'ADDRESS'],
    right: [0],
    row: (details, id) => {
      const { authid, authrole, authmethod, transport, peer } = sessionCells(details)
      return [id, authid, authrole, authmethod, transport, peer]
    },
  },
  {
    kind: 'registration',
    title: 'Procedures',
    head: ['CALLEES', 'PROCEDURE', 'POLICIES'],
    right: [0],
    row: (details) => [text(details['members']), text(details['uri']), policies(details)],
  },
  {
    kind: 'subscription',
    title: 'Topics',
    head: ['SUBSCRIBERS', 'TOPIC', 'POLICIES'],
    right: [0],
    row: (details) => [text(details['members']), text(details['uri']), policies(details)],
  },
]

/** The records of a table: by URI, and those whose URI is not known yet at the end; sessions as they were listed. */
export function sortedRecords(model: RealmModel, { kind }: TopTable): RealmRecord[] {
  const records = [...model.records[kind].values()]
  if (kind === 'session') return records
  const uri = ({ details }: RealmRecord): string => (details ? text(details['uri']) : '\uffff')
  return records.sort((one, other) => (uri(one) < uri(other) ? -1 : uri(one) > uri(other) ? 1 : one.id - other.id))
}

/** Lines of a table, the head first. */
export function tableLines(table: TopTable, records: readonly RealmRecord[]): string[] {
  const rows = records.map(({ id, details }) => (details ? table.row(details, String(id)) : [String(id), '...']))
  return alignCells([table.head, ...rows], table.right)
}

export interface TopView {
  /** `realm1 at ws://localhost:8080/ws`. */
  readonly target: string
  /** The state of the client. */
  readonly state: string
  readonly joinsPerSecond: number
  readonly leavesPerSecond: number
  readonly table: TopTable
  /** The number of rows that are scrolled over. */
  readonly offset: number
  readonly rows: number
  readonly columns: number
}

/** Rows of a screen that are not rows of the table: two above its head, the head, and the keys. */
const FRAME = 4

/** The number of rows of the table that a screen shows. */
export const visibleRows = (rows: number): number => Math.max(1, rows - FRAME)

/** The lines of a screen. The caller emphasizes the first and the third. */
export function screenLines(model: RealmModel, records: readonly RealmRecord[], view: TopView): string[] {
  const { target, state, joinsPerSecond, leavesPerSecond, table, offset, rows, columns } = view
  const tabs = TOP_TABLES.map((each) => {
    const label = `${each.title} ${model.records[each.kind].size}`
    return each === table ? `[${label}]` : ` ${label} `
  })
  const shown = records.slice(offset, offset + visibleRows(rows))
  const rates = `${joinsPerSecond.toFixed(1)} joins/s  ${leavesPerSecond.toFixed(1)} leaves/s`
  const body = tableLines(table, shown)
  while (body.length < visibleRows(rows) + 1) body.push('')
  const range = shown.length < records.length ? `${offset + 1} to ${offset + shown.length} of ${records.length}  ` : ''
  const lines = [
    `${target}  ${state}  ${rates}`,
    tabs.join(' '),
    ...body,
    `${range}tab: next table  arrows, pages: scroll  q: end`,
  ]
  return lines.slice(0, rows).map((line) => line.slice(0, columns))
}
