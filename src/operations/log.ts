/** Writes what a router or a client reports to a logger. */

import type { ClientEvents } from '../client/connection/client-core.ts'
import { thrown, usage, WampError } from '../protocol/error.ts'
import { PROTOCOL_VIOLATION } from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import type { JoinedEvent, LeftEvent, RouterObserver } from '../router/observe/events.ts'

/** The methods of a logger such as pino: named values, and a text that is always the same for the same kind of event. */
export interface Logger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** A `Router`. */
export interface LoggedRouter {
  observe(observer: object): () => void
}

/** A client. */
export interface LoggedClient {
  readonly name: string
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

type Level = keyof Logger
type Fields = Readonly<Record<string, unknown>>

/** Characters of a text that a peer has chosen, and of the stack of an error. */
const LONGEST_TEXT = 256
const LONGEST_STACK = 4096
/** Kinds of events that may repeat, in one second. */
const MOST_KINDS = 100
const WINDOW = 1000

/**
 * Logs joins, departures, violations of the protocol, refusals, drops and slow decisions of a router, or the states, losses,
 * attempts, errors and warnings of a client, until the returned function is called. No payload and no credential is
 * logged. Texts of peers are at most 256 characters long, and their control characters are replaced: with a logger that
 * writes JSON, nobody can forge a line. What a session repeats within a second is logged once, and then counted in
 * `repeated`.
 *
 * The errors and warnings of a client are then no longer printed on the console.
 *
 * @example
 * const stop = logTo(router, pino())
 * @throws WampError `wampy.error.usage` for anything else
 */
export function logTo(source: LoggedRouter | LoggedClient, logger: Logger): () => void {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    if (typeof Object(logger)[level] !== 'function')
      throw usage(`a logger must have the methods debug, info, warn and error, got ${formatValue(logger)}`)
  }
  const { observe, on, off } = Object(source) as Partial<LoggedRouter & LoggedClient>
  if (typeof observe === 'function') return logRouter(source as LoggedRouter, logger)
  if (typeof on === 'function' && typeof off === 'function') return logClient(source as LoggedClient, logger)
  throw usage(`logTo expects a Router or a client as its first argument, got ${formatValue(source)}`)
}

function logRouter(router: LoggedRouter, logger: Logger): () => void {
  const repeats = new Repeats(logger)
  const debug = (text: string) => (event: object) => logger.debug(loggable(event as Fields), text)
  const observer: RouterObserver = {
    joined: ({ transport, ...event }) => logger.info(loggable({ ...event, ...farEnd(transport) }), 'session joined'),
    left: (event) => {
      const [level, text] = departure(event)
      logger[level](loggable({ ...event }), text)
    },
    refused: ({ transport, ...event }) => {
      const { realm, session, action, error } = event
      const join = action === 'join'
      const [level, text] = join ? (['warn', 'join refused'] as const) : (['info', 'request refused'] as const)
      const key = `${text} ${join ? '' : realm} ${session} ${action} ${error}`
      repeats.say(key, level, { ...event, ...farEnd(transport) }, text)
    },
    dropped: (event) =>
      repeats.say(`dropped ${event.session} ${event.reason}`, 'warn', { ...event }, 'dropped', event.count),
    waited: (event) => {
      const { session, action, duration } = event
      repeats.say(`waited ${session} ${action}`, 'warn', { ...event, duration: Math.round(duration) }, 'slow decision')
    },
    registered: debug('procedure registered'),
    unregistered: debug('procedure unregistered'),
    subscribed: debug('topic subscribed'),
    unsubscribed: debug('topic unsubscribed'),
  }
  const stop = router.observe(observer)
  return () => {
    stop()
    repeats.end()
  }
}

/** The level and the text for the end of a session. */
function departure({ by, reason = '' }: LeftEvent): [Level, string] {
  if (by === 'loss') return ['info', 'session lost']
  if (by === 'peer') return ['info', 'session left']
  if (reason === PROTOCOL_VIOLATION) return ['warn', 'session broke the protocol']
  return [/^wampy?\.error\./.test(reason) ? 'warn' : 'info', 'session ended by the router']
}

/** The kind and the address of a connection. */
function farEnd(transport: JoinedEvent['transport']): Fields {
  return { transport: transport?.['type'], peer: transport?.['peer'] }
}

function logClient(client: LoggedClient, logger: Logger): () => void {
  const { name } = client
  const say = (level: Level, text: string, fields: Fields = {}): void =>
    logger[level](loggable({ client: name, ...fields }), text)
  const listeners: ClientEvents = {
    state: (state) => say('debug', 'client changed its state', { state }),
    ready: ({ id, realm, authid, authrole, authmethod }) =>
      say('info', 'client joined', { realm, session: id, authid, authrole, authmethod }),
    lost: (cause) => say('warn', 'client lost its session', faultOf(cause)),
    retry: ({ attempt, delay, cause }) =>
      say('info', 'client tries again', { attempt, delay: Math.round(delay), ...faultOf(cause) }),
    stopped: (cause) => say(cause ? 'error' : 'info', 'client stopped', cause && faultOf(cause)),
    failed: (handle, error) =>
      say('warn', 'client was refused a subscription or registration', { uri: handle.uri, ...faultOf(error) }),
    error: (error, procedure) => say('error', 'client failed', { procedure, ...faultOf(error) }),
    warning: (warning) => say('warn', 'client warned', faultOf(warning)),
    gap: (handle) => say('warn', 'client missed events', { uri: handle.uri }),
  }
  const entries = Object.entries(listeners) as [never, never][]
  for (const [event, listener] of entries) client.on(event, listener)
  return () => {
    for (const [event, listener] of entries) client.off(event, listener)
  }
}

/** The fields of an error; one that is not an answer of a peer has a stack, which leads to the fault. */
function faultOf(error: unknown): Fields {
  const { uri, message } = thrown(error)
  if (WampError.is(error)) return { error: uri, text: message }
  let stack: unknown
  try {
    stack = (error as Partial<Error> | undefined)?.stack
  } catch {
    // A hostile value has none.
  }
  return { error: uri, text: message, stack: typeof stack === 'string' ? stack.slice(0, LONGEST_STACK) : undefined }
}

/** Fields as they are logged: without those that have no value, and with texts that cannot do harm. */
function loggable(fields: Fields): Fields {
  const safe: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string')
      safe[name] = name === 'stack' ? value.split('\n').map(harmless).join('\n') : harmless(shortened(value))
    else if (typeof value === 'number' || typeof value === 'boolean') safe[name] = value
  }
  return safe
}

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}

/** JSON leaves some control characters as they are, and a person may read the log in a terminal. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

interface Repeated {
  readonly level: Level
  readonly text: string
  fields: Fields
  count: number
}

/** Logs the first event of a kind at once, and what follows within a second as one line. */
class Repeats {
  readonly #logger: Logger
  readonly #kinds = new Map<string, Repeated>()
  #omitted = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  say(kind: string, level: Level, fields: Fields, text: string, count = 1): void {
    const known = this.#kinds.get(kind)
    if (known) {
      known.fields = fields
      known.count += count
    } else if (this.#kinds.size < MOST_KINDS) {
      this.#kinds.set(kind, { level, text, fields, count: 0 })
      this.#timer ??= afterWindow(() => this.#flush())
      this.#logger[level](loggable(fields), text)
    } else this.#omitted += count
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#flush()
  }

  #flush(): void {
    this.#timer = undefined
    const kinds = [...this.#kinds.values()]
    const omitted = this.#omitted
    this.#kinds.clear()
    this.#omitted = 0
    try {
      for (const { level, text, fields, count } of kinds) {
        if (count > 0) this.#logger[level](loggable({ ...fields, repeated: count }), text)
      }
      if (omitted > 0) this.#logger.warn({ omitted }, 'more refusals and drops than are logged')
    } catch (error) {
      // No observer calls this, so nobody else would report it, and it must not end the process.
      console.error('the logger failed:', error)
    }
  }
}

/** Does not keep a process alive. */
function afterWindow(flush: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(flush, WINDOW)
  const { unref } = timer as { unref?(): void }
  unref?.call(timer)
  return timer
}
