/**
 * `npm run bench`: the cost of our router, as its own process over real sockets, as ratios to a plain relay measured in
 * the same run, its growth with many registrations, the cost of rules, and how alike failed logins are. `-- --check` fails if a
 * budget is exceeded; `-- --quick` measures less, and `-- --only NAME` only what has NAME in its name. `-- --only soak` alone runs
 * the soak, of two minutes or of `--seconds`.
 */

import { type ChildProcess, fork, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Count, Job, Order } from './driver.ts'
import { LIBRARIES, type Library } from './libraries.ts'
import { type Comparison, compareDelays, compareLogins, DELAYS } from './logins.ts'
import { type SoakAddresses, soakRouter } from './soak.ts'
import { hasProc, REPORTING, usageOf } from './usage.ts'
import type { Format } from './wire.ts'

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string', default: '120' },
  },
})
const ROUNDS = options.quick ? 3 : 5
const WARM_UP = options.quick ? 200 : 250
const RUN = options.quick ? 400 : 600
const SESSIONS = options.quick ? 500 : 1000
const FLAT_RUN = options.quick ? 400 : 900
const FEW = 10
const MANY = 100_000

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const TSX = ['--import', 'tsx']

// ---- processes

/** A process that others connect to, and whose cost is measured. */
interface Target {
  readonly url: string
  readonly process: ChildProcess
}

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

function kept(child: ChildProcess): ChildProcess {
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

/** Starts a program that prints its address. */
async function start(args: readonly string[]): Promise<Target> {
  const stdio: StdioOptions = hasProc ? ['ignore', 'pipe', 'inherit'] : ['ignore', 'pipe', 'inherit', 'ipc']
  // `ws` uses bufferutil if some other package installed it; users of this package have none.
  const env = { ...process.env, WS_NO_BUFFER_UTIL: '1' }
  const child = kept(spawn(process.execPath, [...(hasProc ? [] : REPORTING), ...args], { stdio, env }))
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /ws:\/\/\S+/.exec(text)
      if (found) resolve(found[0])
    })
    child.on('exit', (code) => reject(new Error(`node ${args.join(' ')} ended with code ${code}: ${text}`)))
  })
  return { url, process: child }
}

const startRouter = () => start([here('../../dist/cli.js'), 'router', '--port', '0'])
const startRelay = () => start([...TSX, here('relay.ts')])

async function stopped({ process: child }: Target): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

function forked(path: string, ...args: string[]): ChildProcess {
  return kept(fork(path, args, { execArgv: TSX, stdio: 'inherit', serialization: 'advanced' }))
}

/** Gives an order to a process of ours and waits for its answer. */
async function told<Answer>(child: ChildProcess, order: unknown): Promise<Answer> {
  const answered = answer<Answer>(child)
  child.send(order as object)
  return answered
}

function answer<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`${child.spawnargs.at(-1)} ended with code ${code}`))
    child.once('exit', gone)
    child.once('message', (message) => {
      child.off('exit', gone)
      resolve(message as Answer)
    })
  })
}

const order = <Answer>(driver: ChildProcess, what: Order) => told<Answer>(driver, what)

// ---- measures

type Column = 'relay' | Format

interface Measure {
  readonly name: string
  readonly unit: string
  readonly columns: readonly Column[]
  /** Ratios to the relay that `--check` allows. */
  readonly budgets?: Partial<Record<Column, number>>
  /** One short run. */
  run(driver: ChildProcess, target: Target, format: Format): Promise<number>
}

/** The target's CPU per operation in microseconds. */
function cpu(job: Omit<Job, 'url' | 'format'>, length = RUN): Measure['run'] {
  return (driver, target, format) =>
    running(driver, { ...job, url: target.url, format }, async () => {
      const before = [await usageOf(target.process), await order<Count>(driver, 'count')] as const
      await sleep(length)
      const after = [await usageOf(target.process), await order<Count>(driver, 'count')] as const
      return (after[0].cpu - before[0].cpu) / (after[1].done - before[1].done)
    })
}

async function running<T>(driver: ChildProcess, job: Job, measure: () => Promise<T>): Promise<T> {
  await order(driver, { start: job })
  await sleep(WARM_UP)
  try {
    return await measure()
  } finally {
    await order(driver, 'stop')
    await sleep(20)
  }
}

const latency: Measure['run'] = (driver, target, format) =>
  running(driver, { kind: 'calls', peers: 1, depth: 1, url: target.url, format }, async () => {
    await order<Count>(driver, 'count')
    await sleep(RUN)
    const { latencies } = await order<Count>(driver, 'count')
    return median(latencies) * 1000
  })

const ALL: readonly Column[] = ['relay', 'json', 'cbor', 'msgpack']
const US = 'us CPU'

const MEASURES: readonly Measure[] = [
  {
    name: 'call, 32 B',
    unit: US,
    columns: ALL,
    budgets: { json: 1, cbor: 1, msgpack: 1 },
    run: cpu({ kind: 'calls', peers: 4, depth: 64, size: 32 }),
  },
  {
    name: 'call, 4 kB',
    unit: US,
    columns: ALL,
    budgets: { json: 1.2, cbor: 1.2, msgpack: 1.2 },
    run: cpu({ kind: 'calls', peers: 4, depth: 64, size: 4096 }),
  },
  {
    name: 'event, 1 subscriber',
    unit: US,
    columns: ALL,
    budgets: { json: 1, cbor: 1, msgpack: 1 },
    run: cpu({ kind: 'events', peers: 1, depth: 64 }),
  },
  {
    name: 'event, each of 100',
    unit: US,
    columns: ALL,
    budgets: { json: 0.7, cbor: 0.7, msgpack: 0.7 },
    run: cpu({ kind: 'events', peers: 100, depth: 4 }),
  },
  {
    name: 'round trip, one at a time',
    unit: 'us',
    columns: ALL,
    budgets: { json: 1.5, cbor: 1.5, msgpack: 1.5 },
    run: latency,
  },
]

/** A table of results by measure and column, filled round by round, so that a disturbance hits all columns alike. */
async function measured(driver: ChildProcess, measures: readonly Measure[]): Promise<Map<Measure, Row>> {
  const [relay, router] = await Promise.all([startRelay(), startRouter()])
  const rows = new Map(measures.map((measure) => [measure, new Map<Column, number[]>()]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [measure, row] of rows) {
      for (const column of measure.columns) {
        const target = column === 'relay' ? relay : router
        const result = await measure.run(driver, target, column === 'relay' ? 'json' : column)
        // The first round is for the compilers.
        if (round >= 0) row.set(column, [...(row.get(column) ?? []), result])
      }
      progress()
    }
  }
  await Promise.all([stopped(relay), stopped(router)])
  return new Map(
    [...rows].map(([measure, row]) => [
      measure,
      new Map([...row].map(([column, results]) => [column, median(results)])),
    ]),
  )
}

type Row = ReadonlyMap<Column, number>

/** Bytes that one more session costs a fresh process. */
async function memory(driver: ChildProcess): Promise<Row> {
  const results = { relay: [] as number[], json: [] as number[] }
  for (let round = 0; round < 3; round++) {
    for (const column of ['relay', 'json'] as const) {
      const target = await (column === 'relay' ? startRelay() : startRouter())
      const job = { kind: 'sessions', url: target.url, format: 'json' } as const
      await order(driver, { start: { ...job, peers: 300 } })
      await sleep(200)
      const before = await usageOf(target.process)
      await order(driver, { start: { ...job, peers: SESSIONS } })
      await sleep(400)
      const after = await usageOf(target.process)
      await order(driver, 'stop')
      await stopped(target)
      results[column].push((after.memory - before.memory) / SESSIONS / 1024)
      progress()
    }
  }
  return new Map(Object.entries(results).map(([column, values]) => [column as Column, median(values)]))
}

/** Microseconds of CPU that a call costs its caller, by library. */
async function clients(driver: ChildProcess): Promise<Map<Library, number>> {
  const relay = await startRelay()
  await order(driver, { start: { kind: 'callee', url: relay.url, format: 'json' } })
  const processes = new Map<Library, ChildProcess>()
  for (const library of LIBRARIES) {
    const child = forked(here('client.ts'), library, relay.url)
    await answer(child)
    processes.set(library, child)
  }
  const results = new Map<Library, number[]>(LIBRARIES.map((library) => [library, []]))
  type Spent = { readonly done: number; readonly cpu: number }
  for (let round = -1; round < ROUNDS; round++) {
    for (const [library, child] of processes) {
      await told<Spent>(child, 'start')
      await sleep(WARM_UP)
      const before = await told<Spent>(child, 'count')
      await sleep(RUN)
      const after = await told<Spent>(child, 'count')
      await told<Spent>(child, 'stop')
      if (round >= 0) results.get(library)?.push((after.cpu - before.cpu) / (after.done - before.done))
    }
    progress()
  }
  for (const child of processes.values()) child.disconnect()
  await order(driver, 'stop')
  await stopped(relay)
  return new Map([...results].map(([library, values]) => [library, median(values)]))
}

interface Flat {
  readonly name: string
  /** What many patterns may cost, as a ratio to few. */
  readonly budget?: number
  readonly job: Omit<Job, 'url' | 'format'>
}

const CALLS = { kind: 'calls', peers: 4, depth: 64 } as const
const EVENTS = { kind: 'events', peers: 1, depth: 64 } as const

// Where each URI is a new one, the router remembers no answer and looks every one up.
const FLAT: readonly Flat[] = [
  { name: 'flat: call, exact', budget: 1.1, job: { ...CALLS, match: 'exact' } },
  { name: 'flat: call, prefix', budget: 1.1, job: { ...CALLS, match: 'prefix' } },
  { name: 'flat: call, wildcard', budget: 1.1, job: { ...CALLS, match: 'wildcard' } },
  { name: 'flat: publish', budget: 1.1, job: { ...EVENTS, match: 'exact' } },
  { name: 'flat: call, prefix, new', job: { ...CALLS, match: 'prefix', differing: true } },
  { name: 'flat: call, wildcard, new', job: { ...CALLS, match: 'wildcard', differing: true } },
  { name: 'flat: publish, new', job: { ...EVENTS, match: 'wildcard', differing: true } },
]

interface Flatness {
  readonly few: number
  readonly many: number
  readonly runs: number
}

/** The router's CPU per operation among few and among many unrelated patterns. */
async function flatness(driver: ChildProcess, measures: readonly Flat[]): Promise<Map<Flat, Flatness>> {
  const loader = forked(here('driver.ts'))
  const loaded = async (patterns: number): Promise<Target> => {
    const router = await startRouter()
    await order(loader, { start: { kind: 'load', url: router.url, format: 'json', peers: 8, patterns } })
    return router
  }
  const few = { router: await loaded(FEW), results: new Map<Flat, number[]>() }
  const many = { router: await loaded(MANY), results: new Map<Flat, number[]>() }
  const summary = (measure: Flat): Flatness => {
    const results = few.results.get(measure) ?? []
    return { few: median(results), many: median(many.results.get(measure) ?? []), runs: results.length }
  }
  const round = async (of: readonly Flat[], index: number): Promise<void> => {
    for (const measure of of) {
      const run = cpu(measure.job, index < 0 ? WARM_UP : measure.budget ? FLAT_RUN : RUN)
      for (const { router, results } of index % 2 ? [many, few] : [few, many]) {
        const result = await run(driver, router, 'json')
        if (index >= 0) results.set(measure, [...(results.get(measure) ?? []), result])
      }
      progress()
    }
  }
  for (let index = -1; index < ROUNDS; index++) await round(measures, index)
  // A tenth is within the noise of a busy machine: a value over its budget is measured for longer before it fails.
  for (let index = ROUNDS; index < 3 * ROUNDS; index++) {
    const doubtful = measures.filter((measure) => {
      const { few, many } = summary(measure)
      return measure.budget && many / few >= measure.budget
    })
    await round(doubtful, index)
  }
  loader.disconnect()
  await Promise.all([stopped(few.router), stopped(many.router)])
  return new Map(measures.map((measure) => [measure, summary(measure)]))
}

const RULED = 'rules: call'
/** What a static rule may cost a routed call, as a ratio to no configuration. */
const RULED_BUDGET = 1.05

/** The router's CPU per call without any configuration, and with static rules for the role of its sessions. */
async function ruled(driver: ChildProcess): Promise<Flatness> {
  const routers = {
    few: await start([...TSX, here('ruled-router.ts')]),
    many: await start([...TSX, here('ruled-router.ts'), 'rules']),
  }
  const results = { few: [] as number[], many: [] as number[] }
  const run = cpu({ ...CALLS, size: 32 }, FLAT_RUN)
  const found = (): Flatness => ({
    few: median(results.few),
    many: median(results.many),
    runs: results.few.length,
  })
  for (let index = -1; index < 3 * ROUNDS; index++) {
    // Five percent are within the noise of a busy machine: a value over its budget is measured for longer before it fails.
    if (index >= ROUNDS && found().many / found().few < RULED_BUDGET) break
    for (const which of index % 2 ? (['many', 'few'] as const) : (['few', 'many'] as const)) {
      const result = await run(driver, routers[which], 'json')
      if (index >= 0) results[which].push(result)
    }
    progress()
  }
  await Promise.all([stopped(routers.few), stopped(routers.many)])
  return found()
}

const LOGINS = 2000

/** Failed logins of both kinds, measured up to three times: chance does not exceed its own limit every time. */
async function logins(): Promise<Comparison[]> {
  const found = new Map<string, Comparison>()
  for (let time = 0; time < 3; time++) {
    for (const comparison of await compareLogins(LOGINS)) {
      const before = found.get(comparison.method)
      if (!before || before.difference > before.noise) found.set(comparison.method, comparison)
    }
    progress()
    if ([...found.values()].every(({ difference, noise }) => difference <= noise)) break
  }
  return [...found.values()]
}

/** The step of the limiter that a measured time shows. */
const stepOf = (time: number): number => [...DELAYS].reverse().find((delay) => time >= delay - 5) ?? 0

async function printLogins(): Promise<void> {
  console.log(
    `\n${LOGINS} failed logins with an unknown name, and as many with a wrong secret, in turns; in microseconds. Noise is the`,
  )
  console.log('difference that logins of which each is of either kind by chance exceed once in a thousand times:\n')
  console.log(line('', '', ['unknown', 'wrong secret', 'difference', 'noise']))
  for (const { method, unknown, wrong, difference, noise, texts } of await logins()) {
    const name = `logins: ${method}`
    console.log(
      line(
        name,
        'us',
        [unknown, wrong, difference, noise].map((value) => value.toFixed(2)),
      ),
    )
    if (difference > noise)
      over.push(`${name}: the medians differ by ${difference.toFixed(2)} us, more than noise does`)
    if (texts.length !== 1) over.push(`${name}: the refusals differ: ${texts.join(', ')}`)
  }
  for (const address of ['127.0.0.1', '192.0.2.1']) {
    const [unknown, wrong] = await compareDelays(address)
    if (!unknown || !wrong) continue
    const [one, other] = [unknown, wrong].map(({ times }) => times.map(stepOf).join(' '))
    const same = one === other && unknown.texts.join() === wrong.texts.join()
    console.log(
      `\nthe limiter delays attempts from ${address} by ${one} ms${same ? ', of both kinds' : ` or ${other} ms`};`,
    )
    console.log(`the last one is answered: ${unknown.texts.at(-1)}`)
    if (!same) over.push(`the limiter treats an unknown name (${one} ms) and a wrong secret (${other} ms) differently`)
  }
}

async function printSoak(): Promise<void> {
  const seconds = Number(options.seconds)
  const child = forked(here('soak-router.ts'))
  const found = await soakRouter(child, await answer<SoakAddresses>(child), seconds)
  child.disconnect()
  const { sessions, refused, cut, killed, acknowledged, answered, failed, lostPublications, lostCalls, heap, left } =
    found
  const kib = (of: readonly [number, number]): string => of.map((bytes) => Math.round(bytes / 1024)).join(' -> ')
  console.log(`soak of ${seconds} s: ${sessions} sessions, ${refused} failed logins, ${cut} cut and ${killed} killed`)
  console.log(`acknowledged publications: ${acknowledged}, lost: ${lostPublications}`)
  console.log(`calls answered: ${answered}, failed with their session: ${failed}, lost: ${lostCalls}`)
  console.log(`heap in KiB: router ${kib(heap.router)}, clients ${kib(heap.clients)}`)
  over.push(...left.map((what) => `soak: ${what}`))
  if (lostPublications + lostCalls > 0) over.push('soak: something acknowledged was lost')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

function progress(): void {
  if (process.stderr.isTTY) process.stderr.write('.')
}

// ---- the report

const over: string[] = []

function cell(value: number | undefined, ratio: number | undefined): string {
  if (value === undefined) return ''
  return ratio === undefined ? value.toFixed(2) : `${value.toFixed(2)} (${ratio.toFixed(2)})`
}

function line(name: string, unit: string, cells: readonly string[]): string {
  return [name.padEnd(26), unit.padEnd(8), ...cells.map((text) => text.padStart(16))].join('')
}

function within(name: string, ratio: number, budget: number | undefined): void {
  if (budget !== undefined && !(ratio < budget)) {
    over.push(`${name}: ${ratio.toFixed(2)} of what it is measured against, the budget is below ${budget}`)
  }
}

function printRow({ name, unit, budgets }: Pick<Measure, 'name' | 'unit' | 'budgets'>, row: Row): void {
  const relay = row.get('relay') as number
  const cells = ALL.map((column) => {
    const value = row.get(column)
    if (value === undefined || column === 'relay') return cell(value, undefined)
    within(`${name}, ${column}`, value / relay, budgets?.[column])
    return cell(value, value / relay)
  })
  console.log(line(name, unit, cells))
}

async function main(): Promise<void> {
  if (!existsSync(here('../../dist/cli.js'))) {
    console.error('dist/cli.js is not there: run `npm run build` first')
    process.exitCode = 1
    return
  }
  const began = Date.now()
  const wanted = (name: string) => !options.only || name.includes(options.only)
  // Two minutes that measure no cost: only if it is asked for.
  if (options.only === 'soak') {
    await printSoak()
    conclude(began)
    return
  }
  const driver = forked(here('driver.ts'))
  console.log(
    `node ${process.version}, ${process.platform} ${process.arch}; ws without bufferutil; medians of ${ROUNDS} runs\n` +
      'of the router, in parentheses as ratios to a bare ws relay that splices JSON text:\n',
  )
  const measures = MEASURES.filter(({ name }) => wanted(name))
  if (measures.length) {
    const rows = await measured(driver, measures)
    console.log(line('', '', [...ALL]))
    for (const [measure, row] of rows) printRow(measure, row)
  }
  if (wanted('memory')) {
    printRow({ name: 'memory of a session', unit: 'KiB', budgets: { json: 3.5 } }, await memory(driver))
  }
  if (wanted('client')) {
    const costs = await clients(driver)
    const bare = costs.get('bare') as number
    console.log('\nof a client, as ratios to a bare one on ws:\n')
    console.log(line('', '', [...costs.keys()]))
    console.log(
      line(
        'call, 32 B',
        US,
        [...costs].map(([library, cost]) => cell(cost, library === 'bare' ? undefined : cost / bare)),
      ),
    )
    const ours = costs.get('wampy-ts') as number
    within('a call of our client', ours / bare, 1.5)
    within('a call of our client, against wampy', ours / (costs.get('wampy') as number), 1)
    within('a call of our client, against autobahn', ours / (costs.get('autobahn') as number), 1)
  }
  const flats = FLAT.filter(({ name }) => wanted(name))
  if (flats.length) {
    const rows = await flatness(driver, flats)
    console.log('\nof the router among unrelated registrations and as many subscriptions, a third of each kind;')
    console.log('with "new", each call or publication has a URI of its own:\n')
    console.log(line('', '', [FEW, MANY].map((count) => count.toLocaleString('en')).concat('ratio', 'runs')))
    for (const [{ name, budget }, { few, many, runs }] of rows) {
      within(name, many / few, budget)
      console.log(line(name, US, [few.toFixed(2), many.toFixed(2), (many / few).toFixed(2), String(runs)]))
    }
  }
  if (wanted(RULED)) {
    const { few, many, runs } = await ruled(driver)
    console.log('\nof the router, without configuration and with twenty static rules for the role of the sessions:\n')
    console.log(line('', '', ['none', 'rules', 'ratio', 'runs']))
    console.log(line(RULED, US, [few.toFixed(2), many.toFixed(2), (many / few).toFixed(3), String(runs)]))
    within(RULED, many / few, RULED_BUDGET)
  }
  if (wanted('logins')) await printLogins()
  driver.disconnect()
  conclude(began)
}

function conclude(began: number): void {
  console.log(`\n${Math.round((Date.now() - began) / 1000)} s`)
  if (over.length) console.log(`\nover budget:\n${over.map((text) => `- ${text}`).join('\n')}`)
  if (options.check) {
    console.log(over.length ? '\ncheck: failed' : '\ncheck: all within their budgets')
    if (over.length) process.exitCode = 1
  }
}

await main()
