/** `wampy-ts run --watch`: a process for each version of a service, which takes the place of the last one once it is loaded. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from './failure.ts'
import { printNotice } from './output.ts'
import { whenAborted } from './signals.ts'

/** The variable by which a process learns that it is a version. */
const IS_VERSION = 'WAMPY_RUN_VERSION'

/** Milliseconds without a further change: an editor, or a version control system, writes several files. */
const QUIET = 100

/**
 * Runs the service of this command line, the module at `path`, in processes of its own, one after another, until the signal
 * aborts. None of them outlives this process.
 */
export async function watchService(path: string, signal: AbortSignal): Promise<void> {
  const versions = new Versions(path)
  await whenAborted(signal)
  await versions.close()
}

class Versions {
  readonly #path: string
  readonly #files = new Set<string>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #started = new Set<Version>()
  #running: Version | undefined
  #loading: Version | undefined
  /** The end of all that came before the running version. */
  #ended: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(path: string) {
    this.#path = path
    process.on('exit', this.#killAll)
    this.#add(path)
    this.#begin()
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    await Promise.all([...this.#started].map((version) => version.end()))
    process.off('exit', this.#killAll)
  }

  readonly #killAll = (): void => {
    for (const { child } of this.#started) child.kill('SIGKILL')
  }

  /** Watches a file by its folder: many editors replace files. */
  #add(file: string): void {
    if (file.includes(`${sep}node_modules${sep}`)) return
    this.#files.add(file)
    const folder = dirname(file)
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_, name) => {
        if (name !== null && ![...this.#files].some((each) => dirname(each) === folder && basename(each) === name))
          return
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => this.#begin(), QUIET)
      })
      watcher.on('error', (error) => printNotice(`${folder} is no longer watched: ${messageOf(error)}`))
      this.#watchers.set(folder, watcher)
    } catch (error) {
      printNotice(`${folder} cannot be watched: ${messageOf(error)}`)
    }
  }

  #begin(): void {
    void this.#loading?.end()
    const version = new Version((file) => this.#add(file))
    this.#loading = version
    this.#started.add(version)
    void version.loaded.then(() => this.#replace(version))
    void version.ended.then(() => {
      this.#started.delete(version)
      if (version.isEnding) return
      const goesOn = this.#running && this.#running !== version ? '; the last version goes on' : ''
      printNotice(
        `the service ${this.#loading === version ? 'was not started' : 'has ended'}${goesOn}; waiting for a change of ${this.#path}`,
      )
      if (this.#running === version) this.#running = undefined
      if (this.#loading === version) this.#loading = undefined
    })
  }

  /** Lets the last version finish its calls, and then the new one register. */
  #replace(version: Version): void {
    if (this.#loading !== version) return
    const last = this.#running
    this.#running = version
    this.#loading = undefined
    if (last) printNotice('a file has changed: the service is started again')
    this.#ended = Promise.all([this.#ended, last?.end()])
    void this.#ended.then(() => version.start())
  }
}

/** A process with one version of the service. */
class Version {
  readonly child: ChildProcess
  /** Resolves when the service has been constructed; never for one that fails before. */
  readonly loaded: Promise<void>
  readonly ended: Promise<unknown>
  isEnding = false

  constructor(imports: (file: string) => void) {
    const args = process.argv.slice(2).filter((arg) => arg !== '--watch')
    // Node reports each imported file over the channel.
    const env = { ...process.env, [IS_VERSION]: '1', WATCH_REPORT_DEPENDENCIES: '1' }
    this.child = fork(process.argv[1] as string, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.ended = once(this.child, 'exit')
    this.loaded = new Promise((resolve) => {
      this.child.on('message', (message: Record<string, unknown> | 'loaded') => {
        if (message === 'loaded') {
          resolve()
          return
        }
        for (const file of [message['watch:require'], message['watch:import']].flat()) {
          if (typeof file !== 'string') continue
          if (file.startsWith('file:')) imports(fileURLToPath(file))
          else if (!/^\w{2,}:/.test(file)) imports(file)
        }
      })
    })
  }

  start(): void {
    if (this.child.connected) this.child.send('start')
  }

  /** Lets it drain: a version stops when its channel is closed, and so also when this process has gone. */
  async end(): Promise<void> {
    this.isEnding = true
    if (this.child.connected) this.child.disconnect()
    await this.ended
  }
}

/**
 * In a process of `watchService`: reports that the service is loaded, and resolves when it may start, or when `stop` aborts.
 * The end of the channel aborts `stop`. Elsewhere it resolves at once.
 */
export async function whenReplacing(stop: AbortController): Promise<void> {
  if (!process.env[IS_VERSION] || !process.send) return
  process.once('disconnect', () => stop.abort())
  const started = once(process, 'message')
  process.send('loaded')
  await Promise.race([started, whenAborted(stop.signal)])
}
