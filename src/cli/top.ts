/** `wampy-ts top`: a live table of the sessions, procedures and topics of a realm. */

import { emitKeypressEvents } from 'node:readline'
import { WampClient } from '../client/wamp-client.ts'
import { whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { isJson, printJson, styled, toLine } from './output.ts'
import { RealmModel, type RealmRecord, type RecordKind } from './realm-model.ts'
import { stopOnSignals } from './signals.ts'
import { screenLines, sortedRecords, TOP_TABLES, tableLines, visibleRows } from './top-screen.ts'

/** Milliseconds after which the realm is listed again, in case an event was missed. */
const LIST_EVERY = 10_000

export const topCommand = defineCommand({
  name: 'top',
  summary: 'Shows the sessions, procedures and topics of a realm in a live table.',
  options: {
    interval: { type: 'string', value: 'ms', help: 'time between two pictures (default: 1000)' },
    count: {
      type: 'string',
      value: 'n',
      help: 'end after this number of pictures (default: never; 1 where the output is text and not a terminal)',
    },
    ...connectionOptions,
  },
  json: 'print a line of JSON for each picture: {"time":...,"sessions":[...],"procedures":[...],"topics":[...]}',
  notes: `Keys: tab shows the next table, the arrows and page keys scroll, q ends. The session of the command itself is left out. It needs
nothing but WAMP's meta API, which it asks for details of 100 records at a time; meta events keep the table current.`,
  examples: ['wampy-ts top', 'wampy-ts top --interval 250', 'wampy-ts top --json --count 1 | jq .sessions[].authid'],
  async run(values) {
    const target = connectionTarget(values)
    const interval = values.interval === undefined ? 1000 : integerOption('interval', values.interval, 50, 3_600_000)
    const isScreen = Boolean(process.stdout.isTTY) && !isJson()
    const most = values.count === undefined ? undefined : integerOption('count', values.count, 1)
    const pictures = most ?? (isScreen || isJson() ? Number.POSITIVE_INFINITY : 1)
    const stop = stopOnSignals()
    process.stdout.on('error', () => stop.abort())
    const client = new WampClient({ ...target.options, name: 'wampy-ts top', roles: ['caller', 'subscriber'] })
    let failure: unknown
    try {
      await startClient(client, target, stop.signal)
      void whenStopped(client).catch((error: unknown) => {
        failure = error
        stop.abort()
      })
      const model = new RealmModel(client)
      await model.watch(stop.signal)
      const title = toLine(`${target.realm} at ${target.url}`).slice(0, -1)
      if (isScreen) await showPictures(model, client, { title, interval, pictures, stop })
      else await printPictures(model, client, { interval, pictures, stop })
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop()
    }
    if (failure) throw failure
  },
})

interface Pictures {
  readonly interval: number
  readonly pictures: number
  readonly stop: AbortController
}

/** Resolves after the time, or when the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, milliseconds)
    if (signal.aborted) over()
    else signal.addEventListener('abort', over)
  })
}

/** Lists the realm again, unless there is no session: what happens meanwhile is seen by the next list. */
async function listAgain(model: RealmModel, client: WampClient): Promise<void> {
  try {
    if (client.state === 'ready') await model.list()
  } catch (error) {
    if (client.state === 'ready') throw error
  }
}

/** Whole pictures, one after another, for a pipe. */
async function printPictures(
  model: RealmModel,
  client: WampClient,
  { interval, pictures, stop }: Pictures,
): Promise<void> {
  for (let printed = 0; printed < pictures && !stop.signal.aborted; printed++) {
    if (printed > 0) {
      await pause(interval, stop.signal)
      if (stop.signal.aborted) return
      await listAgain(model, client)
    }
    for (const { kind } of TOP_TABLES) {
      while (client.state === 'ready' && (await model.complete(kind, model.records[kind].values()))) {
        if (stop.signal.aborted) return
      }
    }
    const [sessions, procedures, topics] = TOP_TABLES.map((table) =>
      sortedRecords(model, table).map(({ id, details }) => details ?? { id }),
    )
    if (isJson()) printJson({ time: new Date().toISOString(), sessions, procedures, topics })
    else {
      const parts = TOP_TABLES.map((table) => tableLines(table, sortedRecords(model, table)).join('\n'))
      process.stdout.write(`${parts.join('\n\n')}\n`)
    }
  }
}

const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l'
const LEAVE_SCREEN = '\u001b[?25h\u001b[?1049l'

/** The live table, on the alternate screen of the terminal. */
async function showPictures(
  model: RealmModel,
  client: WampClient,
  { title, interval, pictures, stop }: Pictures & { readonly title: string },
): Promise<void> {
  const { stdin, stdout } = process
  let at = 0
  let offset = 0
  let rates: readonly [joins: number, leaves: number] = [0, 0]
  const size = (): { rows: number; columns: number } => ({ rows: stdout.rows || 24, columns: stdout.columns || 80 })
  const table = () => TOP_TABLES[at % TOP_TABLES.length] ?? TOP_TABLES[0]
  const draw = (): void => {
    const records = sortedRecords(model, table())
    const { rows } = size()
    offset = Math.max(0, Math.min(offset, records.length - visibleRows(rows)))
    const [joinsPerSecond, leavesPerSecond] = rates
    const view = {
      target: title,
      state: client.state,
      joinsPerSecond,
      leavesPerSecond,
      table: table(),
      offset,
      ...size(),
    }
    const lines = screenLines(model, records, view).map((line, place) =>
      place === 0 || place === 2 ? styled('bold', line) : line,
    )
    stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`)
  }
  const page = (): number => visibleRows(size().rows)
  const keys: Readonly<Record<string, () => void>> = {
    q: () => stop.abort(),
    tab: () => {
      at++
      offset = 0
    },
    up: () => {
      offset--
    },
    down: () => {
      offset++
    },
    pageup: () => {
      offset -= page()
    },
    pagedown: () => {
      offset += page()
    },
  }
  const press = (_: unknown, { name = '', ctrl }: { readonly name?: string; readonly ctrl?: boolean }): void => {
    // In raw mode the terminal sends no signal.
    if (ctrl && name === 'c') stop.abort()
    else if (Object.hasOwn(keys, name)) keys[name]?.()
    draw()
  }
  const restore = (): void => {
    stdout.write(LEAVE_SCREEN)
    if (stdin.isTTY) stdin.setRawMode(false)
  }
  // Also when a second signal ends the process at once.
  process.on('exit', restore)
  stdout.write(ENTER_SCREEN)
  stdout.on('resize', draw)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    emitKeypressEvents(stdin)
    stdin.on('keypress', press).resume()
  }
  let listed = performance.now()
  const relist = (): void => {
    listed = Number.NEGATIVE_INFINITY
  }
  client.on('ready', relist)
  try {
    for (let shown = 0; shown < pictures && !stop.signal.aborted; shown++) {
      const { joined, left } = model
      const began = performance.now()
      if (began - listed > LIST_EVERY) {
        await listAgain(model, client)
        listed = began
      }
      if (client.state === 'ready')
        await completeShown(model, client, table().kind, sortedRecords(model, table()), offset, page())
      draw()
      await pause(interval, stop.signal)
      const seconds = (performance.now() - began) / 1000
      rates = [(model.joined - joined) / seconds, (model.left - left) / seconds]
    }
  } finally {
    client.off('ready', relist)
    stdin.off('keypress', press).pause()
    stdout.off('resize', draw)
    process.off('exit', restore)
    restore()
  }
}

/** Requests the missing details of the rows on the screen, and of others if those are complete. */
async function completeShown(
  model: RealmModel,
  client: WampClient,
  kind: RecordKind,
  records: readonly RealmRecord[],
  offset: number,
  rows: number,
): Promise<void> {
  try {
    if (await model.complete(kind, records.slice(offset, offset + rows))) return
    await model.complete(kind, records)
  } catch (error) {
    if (client.state === 'ready') throw error
  }
}
