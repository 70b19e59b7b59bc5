/**
 * Runs one program of a playground in a worker: its console goes to the page, its WebSockets to the router's worker, and its
 * imports of wampy-ts to this file's own copy.
 */

import { cbor } from '../../src/cbor.ts'
import { msgpack } from '../../src/msgpack.ts'
import * as codes from '../../src/protocol/codes.ts'
import { json } from '../../src/serializer/json.ts'
import { type Serializer, subprotocolOf } from '../../src/serializer/serializer.ts'
import { framed } from '../../src/session/framed.ts'
import type { Attachable } from '../../src/session/link.ts'
import { toWireMessage } from '../../src/testing/tap.ts'
import type { Frame } from '../../src/transport/transport.ts'
import { formatLog } from './format-log.ts'
import { type ConnectRequest, InPageTransport, type Packet, socketClass } from './in-page-socket.ts'
import {
  cut,
  type Level,
  type LogReport,
  MOST_ROWS,
  type Program,
  type ProgramState,
  type Report,
  type Side,
  type WireRow,
} from './messages.ts'

/** The modules that programs may import, by their specifiers. */
export type Modules = Readonly<Record<string, object>>

/** The first message to a worker. */
export interface StartRequest {
  readonly program: Program
  readonly code: string
  /** Reports go out here; orders and pings come in. */
  readonly control: MessagePort
  /** For the router the ports of the other programs, for those the router's. */
  readonly networks: Readonly<Partial<Record<Side, MessagePort>>>
}

/** A message from the frame to a worker that runs. `gone`: a program was ended, and its connections are lost. */
export type Order =
  | { readonly order: 'ping' }
  | { readonly order: 'cut' }
  | { readonly order: 'gone'; readonly side: Side }

const TYPES = new Map(Object.entries(codes).map(([name, code]) => [code as number, name]))
const SERIALIZERS: readonly Serializer[] = [json, cbor, msgpack]

/** Waits for the request to start, and runs its program. */
export function serveProgram(modules: Modules): void {
  addEventListener('message', ({ data }: MessageEvent<StartRequest>) => void run(data, modules), { once: true })
}

async function run({ program, code, control, networks }: StartRequest, shared: Modules): Promise<void> {
  const post = (report: Report): void => control.postMessage(report)
  const log = logger(program, post)
  const modules: Record<string, object> = { ...shared }
  let lose = (_side: Side): void => {}
  let cutAll = (): void => {}
  if (program === 'router') {
    const network = new RouterNetwork(networks, wireBatches(post))
    modules['wampy-ts/node'] = { serve: network.serve }
    lose = network.lose
  } else {
    const Socket = socketClass(networks[program] as MessagePort)
    Object.assign(globalThis, { WebSocket: Socket })
    cutAll = () => void Socket.cut()
    modules['playground'] = { cut: () => Socket.cut() }
  }
  control.onmessage = ({ data }: MessageEvent<Order>) => {
    if (data.order === 'ping') control.postMessage({ kind: 'pong' })
    else if (data.order === 'gone') lose(data.side)
    else cutAll()
  }
  const urls = new Map(Object.entries(modules).map(([name, module]) => [name, urlOfModule(name, module)]))
  const url = urlOf(`${pointedAt(code, urls)}\n//# sourceURL=${program}.js`)
  const names = new Map([[url, `${program}.js`], ...[...urls].map(([name, at]) => [at, name] as const)])
  const fail = (error: unknown, prefix: string): void => {
    const { text, line } = describe(error, program, names)
    log('error', `${prefix}${text}`, line)
  }
  replaceConsole((level, values) =>
    log(level, formatLog(values), level === 'error' ? lineOf(values, program, names) : undefined),
  )
  addEventListener('error', (event: Event) => {
    event.preventDefault()
    fail((event as ErrorEvent).error ?? (event as ErrorEvent).message, 'Uncaught ')
  })
  addEventListener('unhandledrejection', (event: Event) => {
    event.preventDefault()
    fail((event as PromiseRejectionEvent).reason, 'Uncaught (in promise) ')
  })
  const state = (now: ProgramState): void => post({ kind: 'state', program, state: now })
  state('running')
  try {
    await import(url)
    state('finished')
  } catch (error) {
    const missing = error instanceof TypeError && unknownImport(code, urls)
    if (missing)
      log(
        'error',
        `Programs of a playground import ${[...urls.keys()].join(', ')}, but not ${missing.specifier}`,
        missing.line,
      )
    else fail(error, 'Uncaught ')
    state('failed')
  }
}

// --- Console ---

/** Milliseconds in which a console may report `MOST_LINES` lines: an endless loop must not fill the page's queue. */
const LOG_WINDOW = 200
const MOST_LINES = 200

function logger(program: Program, post: (report: LogReport) => void) {
  let since = performance.now()
  let lines = 0
  let skipped = 0
  return (level: Level, text: string, line?: number): void => {
    const now = performance.now()
    if (now - since > LOG_WINDOW) {
      since = now
      lines = 0
    }
    if (++lines > MOST_LINES) {
      skipped++
      return
    }
    post({ kind: 'log', program, level, text: cut(text), line, skipped })
    skipped = 0
  }
}

function replaceConsole(print: (level: Level, values: readonly unknown[]) => void): void {
  const at =
    (level: Level) =>
    (...values: unknown[]) =>
      print(level, values)
  const log = at('log')
  const debug = at('debug')
  const error = at('error')
  Object.assign(console, { log, info: log, dir: log, table: log, debug, trace: debug, warn: at('warn'), error })
}

/** The message of an error, with what it carries besides, and the line of the program that it comes from. */
function describe(
  error: unknown,
  program: Program,
  names: ReadonlyMap<string, string>,
): { readonly text: string; readonly line?: number | undefined } {
  return { text: named(formatLog([error]), names), line: lineOf([error], program, names) }
}

function named(text: string, names: ReadonlyMap<string, string>): string {
  let result = text
  for (const [url, name] of names) result = result.replaceAll(url, name)
  return result
}

function lineOf(values: readonly unknown[], program: Program, names: ReadonlyMap<string, string>): number | undefined {
  const error = values.find((value) => value instanceof Error)
  const place = error && new RegExp(`${program}\\.js:(\\d+)`).exec(named(String(error.stack), names))
  return place ? Number(place[1]) : undefined
}

// --- Modules ---

/** The specifier of an import or a re-export, in its quotation marks. */
const IMPORT = /((?:^|[\s;}])(?:import|from)\s*\(?\s*)(['"])([\w@/.:-]+)\2/gm

/** Puts URLs in the place of the specifiers of known modules; in workers no import map does that. Lines stay where they are. */
function pointedAt(code: string, urls: ReadonlyMap<string, string>): string {
  return code.replace(IMPORT, (whole, before: string, quote: string, specifier: string) => {
    const url = urls.get(specifier)
    return url ? `${before}${quote}${url}${quote}` : whole
  })
}

/** The first import of another module, with its line. */
function unknownImport(code: string, urls: ReadonlyMap<string, string>) {
  for (const { 0: whole, 3: specifier = '', index } of code.matchAll(IMPORT)) {
    if (!urls.has(specifier)) return { specifier, line: code.slice(0, index + whole.length).split('\n').length }
  }
  return undefined
}

const urlOf = (code: string): string => URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))

/** The URL of a module with the exports of an object of this one. */
function urlOfModule(name: string, module: object): string {
  const key = `playground:${name}`
  Object.defineProperty(globalThis, Symbol.for(key), { value: module })
  const lines = Object.keys(module)
    .filter((each) => each !== 'default')
    .map((each) => `export const ${each} = module.${each}`)
  return urlOf(`const module = globalThis[Symbol.for(${JSON.stringify(key)})]\n${lines.join('\n')}\n`)
}

// --- The router's end ---

/** Gathers the rows of a while into one report; what comes too fast is counted. */
function wireBatches(post: (report: Report) => void): (row: WireRow) => void {
  let rows: WireRow[] = []
  let skipped = 0
  const flush = (): void => {
    post({ kind: 'wire', rows, skipped })
    rows = []
    skipped = 0
  }
  return (row) => {
    if (rows.length === 0) setTimeout(flush, 50)
    if (rows.length < MOST_ROWS) rows.push(row)
    else skipped++
  }
}

interface Served {
  readonly url: string
  readonly router: Attachable
}

/** Accepts the sockets of the other programs for the routers that `serve` was called with. */
class RouterNetwork {
  readonly #record: (row: WireRow) => void
  readonly #served: Served[] = []
  readonly #transports = new Map<InPageTransport, Side>()
  readonly #counts: Record<Side, number> = { service: 0, caller: 0 }
  readonly #start = performance.now()

  constructor(networks: StartRequest['networks'], record: (row: WireRow) => void) {
    this.#record = record
    for (const [side, network] of Object.entries(networks)) {
      network.onmessage = ({ data, ports }: MessageEvent<ConnectRequest>) => {
        this.#accept(side as Side, data, ports[0] as MessagePort)
      }
    }
  }

  /** Stands in for `serve` of `wampy-ts/node`: `port` and `path` name an address that only this page can reach. */
  readonly serve = async (router: Attachable, options: { readonly port?: number; readonly path?: string } = {}) => {
    const { port = 8080, path = '/ws' } = options
    const served: Served = { url: `ws://localhost:${port}${path}`, router }
    router.hosted?.({ serializers: SERIALIZERS })
    this.#served.push(served)
    return { url: served.url, close: async () => void this.#served.splice(this.#served.indexOf(served), 1) }
  }

  /** Ends the connections of a program that is gone. */
  readonly lose = (side: Side): void => {
    for (const [transport, owner] of this.#transports) if (owner === side) transport.terminate()
  }

  #accept(side: Side, { url, protocols }: ConnectRequest, port: MessagePort): void {
    const { pathname, port: number } = new URL(url)
    const served = this.#served.find((each) => {
      const own = new URL(each.url)
      return own.port === number && own.pathname === pathname
    })
    const protocol = protocols.find((each) => SERIALIZERS.some((serializer) => subprotocolOf(serializer) === each))
    if (!served || !protocol) {
      port.postMessage(['lost'] satisfies Packet)
      return
    }
    const serializer = SERIALIZERS.find((each) => subprotocolOf(each) === protocol) as Serializer
    const connection = ++this.#counts[side]
    const record = (way: WireRow['way'], type: string, text: string, length: number): void =>
      this.#record({ at: performance.now() - this.#start, side, connection, way, type, text: cut(text), length })
    const message = (way: 'sent' | 'received', frame: Frame): void => {
      const text = textOf(frame, serializer)
      record(way, TYPES.get(Number(/^\[(\d+)/.exec(text)?.[1])) ?? '', text, frame.length)
    }
    const transport = new InPageTransport(port, protocol, {
      arrived: (frame) => message('sent', frame),
      left: (frame) => message('received', frame),
      ended: (code) => {
        this.#transports.delete(transport)
        record('closed', '', code === 1006 ? 'lost' : `closed with code ${code}`, 0)
      },
    })
    this.#transports.set(transport, side)
    record('opened', '', protocol, 0)
    served.router.attach(framed(transport, serializer), { type: 'websocket', protocol })
  }
}

/** A frame as JSON: of text that is the frame itself. */
function textOf(frame: Frame, serializer: Serializer): string {
  if (typeof frame === 'string') return frame
  try {
    return JSON.stringify(toWireMessage(serializer.decode(frame)), (_, value: unknown) => {
      if (value instanceof Uint8Array) return `${value.length} bytes`
      return typeof value === 'bigint' ? String(value) : value
    })
  } catch {
    return 'not readable'
  }
}
