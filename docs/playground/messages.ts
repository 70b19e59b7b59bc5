/** The messages from a running playground to its page. The page checks them: user code may send it anything. */

/** The programs of a playground, in the order in which they start. */
export const PROGRAMS = ['router', 'service', 'caller'] as const
export type Program = (typeof PROGRAMS)[number]

/** The source text of each program. */
export type Programs = Readonly<Record<Program, string>>

export const LEVELS = ['debug', 'log', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** A line of a program's console. */
export interface LogReport {
  readonly kind: 'log'
  readonly program: Program
  readonly level: Level
  readonly text: string
  /** The line of the program that caused an error, from 1. */
  readonly line?: number | undefined
  /** The number of lines that were left out before this one. */
  readonly skipped: number
}

/** `opened` and `closed` are the beginning and the end of a connection, `sent` and `received` messages of its client. */
export const WAYS = ['opened', 'sent', 'received', 'closed'] as const
export type Way = (typeof WAYS)[number]

/** The program that a connection belongs to. */
export type Side = Exclude<Program, 'router'>

/** A message on the wire, or the beginning or end of a connection. */
export interface WireRow {
  /** Milliseconds since the router started. */
  readonly at: number
  readonly side: Side
  /** The number of the connection among those of its program, from 1. */
  readonly connection: number
  readonly way: Way
  /** The name of the message type, such as `CALL`; empty for a connection. */
  readonly type: string
  /** The message as JSON, cut if it is long; for a connection its subprotocol, or the reason of its end. */
  readonly text: string
  /** The length of the frame, in bytes or characters. */
  readonly length: number
}

export interface WireReport {
  readonly kind: 'wire'
  readonly rows: readonly WireRow[]
  /** The number of rows that were left out before these. */
  readonly skipped: number
}

/** `finished`: the module was evaluated, and its handlers go on. `ended`: the watchdog ended the program. */
export const STATES = ['running', 'finished', 'failed', 'ended'] as const
export type ProgramState = (typeof STATES)[number]

export interface StateReport {
  readonly kind: 'state'
  readonly program: Program
  readonly state: ProgramState
}

export type Report = LogReport | WireReport | StateReport

/** The greatest number of characters of a console line or a message that is reported. */
export const LONGEST = 10_000
/** The greatest number of rows in one report. */
export const MOST_ROWS = 200

function isOneOf<T extends string>(words: readonly T[], value: unknown): value is T {
  return (words as readonly unknown[]).includes(value)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST + 1
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function isWireRow(value: unknown): value is WireRow {
  const { at, side, connection, way, type, text, length } = Object(value) as Partial<Record<keyof WireRow, unknown>>
  return (
    Number.isFinite(at) &&
    (side === 'service' || side === 'caller') &&
    isCount(connection) &&
    isOneOf(WAYS, way) &&
    isText(type) &&
    isText(text) &&
    isCount(length)
  )
}

/** Returns the value if it is a report, else undefined. */
export function asReport(value: unknown): Report | undefined {
  const report = Object(value) as Record<string, unknown>
  if (report['kind'] === 'wire') {
    const { rows, skipped } = report
    const valid = Array.isArray(rows) && rows.length <= MOST_ROWS && rows.every(isWireRow) && isCount(skipped)
    return valid ? (value as WireReport) : undefined
  }
  if (!isOneOf(PROGRAMS, report['program'])) return undefined
  if (report['kind'] === 'state') return isOneOf(STATES, report['state']) ? (value as StateReport) : undefined
  const { kind, level, text, line, skipped } = report
  const valid =
    kind === 'log' &&
    isOneOf(LEVELS, level) &&
    isText(text) &&
    (line === undefined || isCount(line)) &&
    isCount(skipped)
  return valid ? (value as LogReport) : undefined
}

/** Cuts a text to the length that is reported. */
export function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
