/** `wampy-ts run --watch`: a process for each version of a service, and a new one when a file of the service changes. */

import { type ChildProcess, fork } from 'node:child_process'
import { isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { isDict } from '../protocol/validate.ts'
import { messageOf } from './failure.ts'
import { printNotice, printStatus } from './output.ts'
import { shortPath } from './service-module.ts'
import { whenAborted } from './signals.ts'
import { WatchedFiles } from './watched-files.ts'

/** Set for the process of a version. */
const MARK = 'WAMPY_RUN_VERSION'

/** With it, Node reports the modules that a process loads: as `watch:import` and `watch:require`, to its parent. */
const NODE_REPORTS = 'WATCH_REPORT_DEPENDENCIES'

/** Milliseconds for the GOODBYE of a version, after its calls in progress. A version that takes longer hangs, and is killed. */
const LEAVING = 5000

type Order = 'start' | 'stop'

/** The watch, seen from the process of a version. */
export interface WatchParent {
  /** Reports that the version is loaded; resolves when it may start, or when it is stopped. */
  loaded(): Promise<void>
}

/** Returns the watch that started this process, undefined if none did. The process ends with the watch. */
export function watchParent(stop: AbortController): WatchParent | undefined {
  const marked = process.env[MARK] !== undefined
  // Programs that the service starts are not versions.
  delete process.env[MARK]
  if (!marked || !process.send) return undefined
  process.on('disconnect', () => process.exit(1))
  const started = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      const order = isDict(message) ? message['wampyRun'] : undefined
      if (order === 'start') resolve()
      else if (order === 'stop') stop.abort()
    })
  })
  return {
    async loaded() {
      // A process with an IPC channel that the service starts would send its modules to the service.
      delete process.env[NODE_REPORTS]
      process.send?.({ wampyRun: 'loaded' })
      await Promise.race([started, whenAborted(stop.signal)])
    },
  }
}

/** The process of one version of a service. */
class ServiceVersion {
  /** The files that it has imported, or looked for. */
  readonly files = new Set<string>()
  /** Resolves to true when the version can start, to false if it ended before. */
  readonly loaded: Promise<boolean>
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  readonly #drain: number
  #isLoaded = false

  constructor(drain: number, onFiles: (paths: readonly string[]) => void) {
    this.#drain = drain
    this.#child = fork(process.argv[1] as string, process.argv.slice(2), {
      env: { ...process.env, [MARK]: '1', [NODE_REPORTS]: '1' },
    })
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(messageOf(error)))
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
    this.loaded = new Promise((resolve) => {
      this.#child.on('message', (message) => {
        const paths = reportedFiles(message)
        for (const path of paths) this.files.add(path)
        onFiles(paths)
        if (!isDict(message) || message['wampyRun'] !== 'loaded') return
        this.#isLoaded = true
        resolve(true)
      })
      void this.ended.then(() => resolve(false))
    })
    void this.ended.then(() => process.off('exit', kill))
  }

  start(): void {
    this.#send('start')
  }

  /** Resolves when the process has ended: in order, or killed if it hangs or is still being loaded. */
  async stop(): Promise<void> {
    const kill = (): void => void this.#child.kill('SIGKILL')
    const timer = setTimeout(kill, Math.min(this.#drain + LEAVING, LONGEST_TIMER))
    if (this.#isLoaded) this.#send('stop')
    else kill()
    await this.ended
    clearTimeout(timer)
  }

  #send(order: Order): void {
    // A process that has just ended needs no order; without a callback the error would be thrown.
    if (this.#child.connected) this.#child.send({ wampyRun: order }, () => {})
  }
}

/** Resolves after a signal, when no process of the service is left. `drain`: milliseconds for its calls in progress. */
export async function watchService(module: string, drain: number, signal: AbortSignal): Promise<void> {
  const files = new WatchedFiles()
  files.add([module])
  const versions = new Set<ServiceVersion>()
  let running: ServiceVersion | undefined
  printStatus(`watching ${shortPath(module)} and the files that it imports`, { watching: module })
  try {
    while (!signal.aborted) {
      // Before the version is loaded: a change in that time is not lost.
      const change = files.change(signal)
      const next = new ServiceVersion(drain, (paths) => files.add(paths))
      versions.add(next)
      void next.ended.then((how) => {
        versions.delete(next)
        if (running !== next) return
        running = undefined
        if (!signal.aborted) printNotice(`the service has ended (${how}): it starts again when a file changes`)
      })
      const loaded = await Promise.race([next.loaded, change.then(() => undefined)])
      if (loaded) {
        files.keep(new Set([module, ...next.files]))
        const previous = running
        running = undefined
        await previous?.stop()
        if (signal.aborted) break
        running = next
        next.start()
      } else if (loaded === undefined) {
        // It is out of date before it is loaded.
        await next.stop()
      } else {
        const state = running ? 'the previous version keeps running' : 'the service starts when a file changes'
        printStatus(state, { running: running !== undefined })
      }
      const changed = await change
      if (changed !== undefined) printStatus(`${shortPath(changed)} changed`, { changed })
    }
  } finally {
    await Promise.all([...versions].map((version) => version.stop()))
  }
}

/** The files in a report of Node about loaded modules, without those of installed packages. */
function reportedFiles(message: unknown): string[] {
  if (!isDict(message)) return []
  const reported = [message['watch:import'], message['watch:require']].flat()
  return reported.flatMap((place) => {
    if (typeof place !== 'string') return []
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    return isAbsolute(path) && !path.includes(`${sep}node_modules${sep}`) ? [path] : []
  })
}
