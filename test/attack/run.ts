/**
 * `npm run attack`: a router with a heap of 512 MB survives each attack, from one and from fifty sessions, over WebSocket and
 * RawSocket, in JSON and CBOR; an honest peer meanwhile waits little and loses nothing; and the memory is returned.
 * `-- --seconds 10` attacks for ten seconds, not for two minutes; `--sample` takes two of the eight combinations for each
 * attack, chosen so that each pair of choices occurs; `--only NAME` runs one attack, `--on 50-ws-json` one combination,
 * and `--retry` a failed attack once more. `--survival` counts neither waits nor memory as failures: on a machine that does other work
 * at the same time they depend on that work.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WampClient } from 'wampy-ts'
import { ATTACKS } from './attacks.ts'
import type { Report } from './target.ts'
import type { WireFormat, WireTransport } from './wire.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    sample: { type: 'boolean', default: false },
    only: { type: 'string' },
    on: { type: 'string' },
    retry: { type: 'boolean', default: false },
    survival: { type: 'boolean', default: false },
  },
})
const SECONDS = Number(options.seconds)
const HEAP = 512
/** The greatest p99 of an honest call, in milliseconds, unless five times the quiet one is more. */
const PATIENCE = 250
/** Bytes that heap and RSS may have grown afterwards. */
const RETURNED = 50 * 2 ** 20
/** Seconds in which the memory must be returned. */
const RECOVERY = 30

interface Combination {
  readonly sessions: 1 | 50
  readonly transport: WireTransport
  readonly format: WireFormat
}

const COMBINATIONS: readonly Combination[] = ([1, 50] as const).flatMap((sessions) =>
  (['ws', 'rs'] as const).flatMap((transport) =>
    (['json', 'cbor'] as const).map((format) => ({ sessions, transport, format })),
  ),
)

/** Two combinations that differ in everything; the next attack has the next two. */
function sampleOf(place: number): Combination[] {
  const first = place % 4
  return [COMBINATIONS[first] as Combination, COMBINATIONS[7 - first] as Combination]
}

const TSX = ['--import', 'tsx']
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const sleep = (milliseconds: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/**
 * glibc keeps freed memory for later, more of it the larger the blocks were; so set it returns them to the system, and RSS
 * shows what the router holds. Most blocks of the router are the chunks in which sockets are read, of 16 to 64 KiB.
 */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '16384', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '1' }

function forked(path: string, args: readonly string[], execArgv: readonly string[]): ChildProcess {
  const child = fork(here(path), [...args], {
    execArgv: [...TSX, ...execArgv],
    env: { ...process.env, ...MALLOC, WS_NO_BUFFER_UTIL: '1' },
  })
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

/** The router's process. */
class Target {
  readonly process = forked('target.ts', [], [`--max-old-space-size=${HEAP}`, '--expose-gc'])
  port = 0
  /** The reason why it ended; undefined while it runs. */
  death: string | undefined

  readonly ended: Promise<undefined>

  constructor() {
    this.ended = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => {
        this.death = String(signal ?? code)
        resolve(undefined)
      })
    })
  }

  async start(): Promise<void> {
    const [port] = await once(this.process, 'message')
    this.port = port as number
  }

  async report(): Promise<Report | undefined> {
    if (this.death !== undefined) return undefined
    const answered = new Promise<Report>((resolve) =>
      this.process.once('message', resolve as (report: unknown) => void),
    )
    this.process.send('report')
    return Promise.race([answered, this.ended])
  }

  async stop(): Promise<void> {
    if (this.death !== undefined) return
    this.process.kill('SIGKILL')
    await this.ended
  }
}

/** An honest peer: it calls, is called, publishes and subscribes, and notes all that it loses. */
class Honest {
  readonly failures: string[] = []
  #waits: number[] = []
  #on = true
  #published = 0
  #received = 0
  readonly #callee: WampClient
  readonly #caller: WampClient
  #loops: Promise<unknown>[] = []

  constructor(url: string) {
    this.#callee = new WampClient({ name: 'honest callee', router: url })
    this.#caller = new WampClient({ name: 'honest caller', router: url })
    for (const client of [this.#callee, this.#caller]) {
      client.on('error', (error) => this.failures.push(String(error)))
      client.on('lost', (cause) => this.failures.push(`an honest session was lost: ${cause.message}`))
    }
  }

  async start(): Promise<void> {
    await Promise.all([this.#callee.start(), this.#caller.start()])
    await this.#callee.register('honest.echo', ([value]) => value)
    await this.#callee.subscribe('honest.news', () => {
      this.#received++
    })
    this.#loops = [this.#call(), this.#publish()]
  }

  /** The 99th percentile of the waits since the last time, in milliseconds. */
  p99(): number {
    const waits = this.#waits.sort((one, other) => one - other)
    this.#waits = []
    return waits[Math.floor(waits.length * 0.99)] ?? Number.POSITIVE_INFINITY
  }

  /** Stops, after all that was sent has arrived. */
  async stop(alive: () => boolean): Promise<void> {
    this.#on = false
    await Promise.race([Promise.all(this.#loops), sleep(20_000)])
    for (let i = 0; i < 100 && alive() && this.#received < this.#published; i++) await sleep(50)
    if (this.#received !== this.#published) {
      this.failures.push(`${this.#published - this.#received} of ${this.#published} events were lost`)
    }
    await Promise.race([Promise.all([this.#callee.stop(), this.#caller.stop()]), sleep(5000)])
  }

  async #call(): Promise<void> {
    for (let i = 0; this.#on; i++) {
      const begin = performance.now()
      try {
        const answer = await this.#caller.call('honest.echo', [i], undefined, { timeout: 15_000 })
        if (answer !== i) this.failures.push(`honest.echo answered ${String(answer)} to ${i}`)
      } catch (error) {
        this.failures.push(`a call failed: ${String(error)}`)
        await sleep(500)
      }
      this.#waits.push(performance.now() - begin)
      await sleep(5)
    }
  }

  async #publish(): Promise<void> {
    while (this.#on) {
      try {
        await this.#caller.publish('honest.news', [this.#published], undefined, { acknowledge: true })
        this.#published++
      } catch (error) {
        this.failures.push(`a publication failed: ${String(error)}`)
        await sleep(500)
      }
      await sleep(20)
    }
  }
}

const megabytes = (bytes: number): string => `${bytes < 0 ? '' : '+'}${Math.round(bytes / 2 ** 20)} MB`

/** Runs one attack, prints its line, and returns true if it failed. */
async function attacked(name: string, { sessions, transport, format }: Combination): Promise<boolean> {
  const target = new Target()
  await target.start()
  const honest = new Honest(`ws://127.0.0.1:${target.port}/ws`)
  await honest.start()
  // Compiles the code of the path.
  await sleep(1000)
  honest.p99()
  await sleep(1500)
  const quiet = honest.p99()
  const before = (await target.report()) as Report
  honest.p99()

  const args = [name, String(sessions), transport, format, String(target.port), String(SECONDS)]
  const attacker = forked('attacker.ts', args, [])
  const over = once(attacker, 'exit')
  let broken = false
  attacker.on('exit', (code) => {
    broken = code !== 0 && code !== null
  })
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, rssOf(target.process.pid))
  }, 100)
  // An attacker that waits for a router which is dead, or does not answer, is ended.
  await Promise.race([over, target.ended, sleep((SECONDS + 10) * 1000)])
  clearInterval(watch)
  const wait = honest.p99()
  attacker.kill('SIGKILL')
  await over

  let after = await target.report()
  const loop = after?.loop
  const left = (): number => {
    if (!after) return Number.POSITIVE_INFINITY
    return Math.max(after.rss - before.rss, after.heap - before.heap)
  }
  for (let second = 0; second < RECOVERY && left() > RETURNED && after; second++) {
    await sleep(1000)
    after = await target.report()
  }
  await honest.stop(() => target.death === undefined)

  const failures: string[] = []
  if (target.death !== undefined) failures.push(`the router died: ${target.death}`)
  else if (left() > RETURNED && !options.survival) failures.push('the memory was not returned')
  if (broken) failures.push('the attacker broke down')
  if (!options.survival && !(wait <= Math.max(PATIENCE, 5 * quiet))) failures.push('honest calls waited too long')
  if (honest.failures.length > 0) failures.push(`${honest.failures[0]}, and ${honest.failures.length - 1} more`)
  const { memory = 0, sessions: slow = 0 } = after?.stats.dropped ?? {}
  console.log(
    [
      failures.length > 0 ? 'FAIL' : 'ok  ',
      name.padEnd(20),
      `${String(sessions).padStart(2)} ${transport} ${format.padEnd(4)}`,
      `p99 ${Math.round(wait)} ms (quiet ${Math.round(quiet)})`,
      `its event loop p99 ${Math.round(loop?.p99 ?? 0)}, max ${Math.round(loop?.max ?? 0)} ms`,
      `peak ${Math.round(peak / 2 ** 20)} MB`,
      after ? `afterwards RSS ${megabytes(after.rss - before.rss)}, heap ${megabytes(after.heap - before.heap)}` : '',
      `cut ${memory}, behind ${slow}`,
      `buffers ${megabytes((after?.buffers ?? 0) - before.buffers)}`,
      `committed ${megabytes((after?.committed ?? 0) - before.committed)}`,
      ...failures,
    ].join('  '),
  )
  await target.stop()
  return failures.length > 0
}

/** The resident memory of a process; 0 if the kernel does not report it. */
function rssOf(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024
  } catch {
    return 0
  }
}

const chosen = Object.keys(ATTACKS).filter((name) => !options.only || name.startsWith(options.only))
let failed = 0
let count = 0
for (const [place, name] of chosen.entries()) {
  const wanted = options.sample ? sampleOf(place) : COMBINATIONS
  for (const combination of wanted) {
    const { sessions, transport, format } = combination
    if (options.on && options.on !== `${sessions}-${transport}-${format}`) continue
    count++
    if (!(await attacked(name, combination))) continue
    // `.ci/run` counts such lines.
    if (options.retry && !(await attacked(name, combination))) console.log(`flaky: attack ${name}`)
    else failed++
  }
}
// As vitest ends a run, so that `.ci/run` can count it.
console.log(`      Tests  ${failed > 0 ? `${failed} failed | ` : ''}${count - failed} passed (${count})`)
process.exit(failed > 0 ? 1 : 0)
