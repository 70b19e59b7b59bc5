/** Runs the programs of a playground in threads of Node, with the script that runs them in workers of a page. */

import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import {
  asReport,
  type LogReport,
  PROGRAMS,
  type Program,
  type Programs,
  type WireRow,
} from '../../docs/playground/messages.ts'

const folder = new URL('../../docs/playground/examples/', import.meta.url)

export function programsOf(example: string): Programs {
  const read = (program: Program): string => readFileSync(new URL(`${example}/${program}.js`, folder), 'utf8')
  return { router: read('router'), service: read('service'), caller: read('caller') }
}

/** What a worker of a browser has and a thread of Node lacks: events of its scope, and URLs of modules made of text. */
const scope = `
import { parentPort } from 'node:worker_threads'
globalThis.addEventListener = (type, listener) => {
  if (type === 'message') parentPort.once('message', (data) => listener({ data }))
  if (type === 'unhandledrejection') process.on('unhandledRejection', (reason) => listener({ reason, preventDefault() {} }))
}
globalThis.Blob = class { constructor(parts) { this.text = parts.join('') } }
URL.createObjectURL = ({ text }) => 'data:text/javascript;base64,' + Buffer.from(text).toString('base64');
`

export class PlaygroundWorld {
  readonly logs: LogReport[] = []
  readonly rows: WireRow[] = []
  readonly #workers: Worker[] = []
  #changed: () => void = () => {}

  /** Starts the programs one after another, as the page does. */
  async start(runtime: string, programs: Programs): Promise<void> {
    const url = new URL(`data:text/javascript,${encodeURIComponent(scope + runtime)}`)
    const networks = { service: new MessageChannel(), caller: new MessageChannel() }
    for (const program of PROGRAMS) {
      const { port1, port2 } = new MessageChannel()
      const own =
        program === 'router'
          ? { service: networks.service.port1, caller: networks.caller.port1 }
          : { [program]: networks[program].port2 }
      const worker = new Worker(url)
      this.#workers.push(worker)
      const evaluated = new Promise<void>((resolve, reject) => {
        worker.on('error', reject)
        port1.onmessage = ({ data }) => {
          const report = asReport(data)
          if (report?.kind === 'log') this.logs.push(report)
          if (report?.kind === 'wire') this.rows.push(...report.rows)
          if (report?.kind === 'state' && report.state !== 'running') resolve()
          this.#changed()
        }
      })
      const request = { program, code: programs[program], control: port2, networks: own }
      worker.postMessage(request, [port2, ...Object.values(own)] as never)
      await evaluated
    }
  }

  /** Resolves when a condition holds, which is tested after each report, or after 10 s. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, 10_000)
      this.#changed = () => {
        if (!condition()) return
        clearTimeout(timeout)
        resolve()
      }
      this.#changed()
    })
  }

  /** The lines of one console. */
  lines(program: Program): string[] {
    return this.logs.filter((log) => log.program === program).map(({ text }) => text)
  }

  /** The messages as `caller > CALL` and `service < INVOCATION`. */
  messages(): string[] {
    return this.rows
      .filter(({ way }) => way === 'sent' || way === 'received')
      .map(({ side, way, type }) => `${side} ${way === 'sent' ? '>' : '<'} ${type}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}
