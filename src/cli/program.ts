/** Runs a program for one invocation: without a shell, with JSON on its standard input, bounded in bytes and time. */

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { WampError } from '../protocol/error.ts'
import { LIMIT_EXCEEDED, TIMEOUT } from '../protocol/names.ts'
import { Failure, messageOf } from './failure.ts'

/** The error URI of a program that cannot be started, ends with another exit code than 0, or is ended by a signal. */
export const COMMAND_FAILED = 'wampy.error.command_failed'

/** Milliseconds from SIGTERM until SIGKILL, and from the end of a program until its output is closed. */
const GRACE = 2000

/** Characters of stderr, its last ones, that the caller sees. */
export const LONGEST_TAIL = 1000

export interface Program {
  readonly file: string
  readonly args: readonly string[]
}

export interface ProgramLimits {
  /** Milliseconds that it may run; undefined for no limit. */
  readonly timeout: number | undefined
  /** Bytes that it may write. */
  readonly output: number
}

/** @throws Failure if there is no such program, or one that cannot be run */
export function checkProgram(file: string): void {
  if (process.platform === 'win32') return
  const folders = file.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  if (folders.some((folder) => isProgram(join(folder, file)))) return
  throw new Failure(
    file.includes('/')
      ? `${file} is not a program that can be run`
      : `there is no program "${file}" in the folders of PATH`,
  )
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Programs in progress. They are ended with this process, however that ends itself. */
export class Programs {
  readonly #running = new Map<ChildProcess, Promise<unknown>>()
  readonly #onStderr: (text: string) => void

  /** @param onStderr receives what the programs write on stderr */
  constructor(onStderr: (text: string) => void) {
    this.#onStderr = onStderr
    process.once('exit', () => {
      for (const child of this.#running.keys()) signalGroup(child, 'SIGKILL')
    })
  }

  /** Resolves when no program runs any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values())
  }

  /**
   * Runs a program and resolves to what it wrote on stdout.
   *
   * @param signal ends the program and all processes of its group: SIGTERM, and SIGKILL two seconds later
   * @throws WampError `wampy.error.command_failed`, with the last of its stderr
   */
  async run(program: Program, input: string, limits: ProgramLimits, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted()
    // A group of its own: Control-C in a terminal does not reach it, so that it can finish, and its children end with it.
    let child: ChildProcess
    try {
      child = spawn(program.file, program.args, {
        shell: false,
        detached: process.platform !== 'win32',
        windowsHide: true,
        stdio: 'pipe',
      })
    } catch (error) {
      throw notStarted(program.file, error)
    }
    const done = this.#follow(child, program, input, limits, signal)
    this.#running.set(child, done)
    const forget = (): void => void this.#running.delete(child)
    done.then(forget, forget)
    return done
  }

  async #follow(
    child: ChildProcess,
    { file }: Program,
    input: string,
    { timeout, output }: ProgramLimits,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const timers: NodeJS.Timeout[] = []
    /** Why it was ended. */
    let cause: unknown
    const end = (error: unknown): void => {
      if (cause !== undefined) return
      cause = error
      signalGroup(child, 'SIGTERM')
      timers.push(setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE))
    }
    const abort = (): void => end(signal.reason)
    signal.addEventListener('abort', abort)
    if (timeout !== undefined) {
      const late = (): void => end(new WampError(TIMEOUT, [`${file} ran for more than ${timeout} ms`]))
      timers.push(setTimeout(late, timeout))
    }

    // Undefined if the system has no pipe left. A program need not read its input.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const chunks: Buffer[] = []
    let length = 0
    child.stdout?.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= output) chunks.push(chunk)
      else end(new WampError(LIMIT_EXCEEDED, [`${file} wrote more than ${output} bytes`]))
    })
    let tail = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      tail = `${tail}${text}`.slice(-LONGEST_TAIL)
      this.#onStderr(text)
    })

    const ending = await new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ error }))
      child.once('exit', () => {
        // What it leaves behind would keep its output open, and run without an owner.
        signalGroup(child, 'SIGKILL')
        timers.push(
          setTimeout(() => {
            child.stdout?.destroy()
            child.stderr?.destroy()
          }, GRACE),
        )
      })
      child.once('close', (code, name) => resolve({ code, name }))
    })
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    if (cause !== undefined) throw cause
    if (ending.error) throw notStarted(file, ending.error)
    if (ending.code !== 0) throw failed(file, ending, tail)
    return Buffer.concat(chunks)
  }
}

interface Ending {
  /** It could not be started. */
  readonly error?: Error
  readonly code?: number | null
  /** The signal that ended it. */
  readonly name?: NodeJS.Signals | null
}

function notStarted(file: string, error: unknown): WampError {
  return new WampError(COMMAND_FAILED, [`${file} could not be started: ${messageOf(error)}`])
}

function failed(file: string, { code, name }: Ending, tail: string): WampError {
  const how = name ? `was ended by ${name}` : `ended with exit code ${code}`
  const last = tail.trim()
  return new WampError(
    COMMAND_FAILED,
    [`${file} ${how}${last && `: ${last}`}`],
    name ? { signal: name } : { exitCode: code },
  )
}

/** Sends a signal to a program and to all processes that it has started in its group. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-pid, signal)
  } catch {
    // None of them is left.
  }
}
