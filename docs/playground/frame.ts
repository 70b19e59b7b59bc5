/**
 * Runs in the sandboxed frame of a playground: starts a worker for each program, and ends one that blocks. Only workers run
 * user code, so that an endless loop stops neither this frame nor the page.
 */

import { PROGRAMS, type Program, type Programs, type Report, type Side } from './messages.ts'
import type { Order, StartRequest } from './worker.ts'

/** The message to a new frame, with a port for all that follows. */
export interface FrameRequest {
  readonly runtime: string
  readonly programs: Programs
}

/** The only message from the page afterwards. */
export interface FrameOrder {
  readonly order: 'cut'
}

/** Milliseconds between pings, and the number of pings that a program may leave unanswered. */
const PING = 500
const MOST_PINGS = 6
/** Milliseconds after which the next program starts although the one before is still being evaluated. */
const START_TIMEOUT = 1_500

/** Of the script of this frame; scripts without it do not run. */
const nonce = document.currentScript?.nonce ?? ''

addEventListener('message', function first({ data, source, ports }: MessageEvent<FrameRequest>) {
  if (source !== parent || !ports[0]) return
  removeEventListener('message', first)
  void start(data, ports[0])
})

async function start({ runtime, programs }: FrameRequest, page: MessagePort): Promise<void> {
  const post = (report: Report): void => page.postMessage(report)
  let valid = true
  for (const program of PROGRAMS) {
    const error = await syntaxError(programs[program])
    if (!error) continue
    valid = false
    post({ kind: 'log', program, level: 'error', text: error.text, line: error.line, skipped: 0 })
    post({ kind: 'state', program, state: 'failed' })
  }
  if (!valid) return
  const url = URL.createObjectURL(new Blob([runtime], { type: 'text/javascript' }))
  const channels = { service: new MessageChannel(), caller: new MessageChannel() }
  const networks: Record<Program, StartRequest['networks']> = {
    router: { service: channels.service.port1, caller: channels.caller.port1 },
    service: { service: channels.service.port2 },
    caller: { caller: channels.caller.port2 },
  }
  const running = new Map<Program, Running>()
  page.onmessage = ({ data }: MessageEvent<FrameOrder>) => {
    if (data?.order !== 'cut') return
    for (const each of running.values()) each.order({ order: 'cut' })
  }
  for (const program of PROGRAMS) {
    const worker = new Running(url, { program, code: programs[program], networks: networks[program] }, post, () => {
      if (program !== 'router') running.get('router')?.order({ order: 'gone', side: program as Side })
      running.delete(program)
    })
    running.set(program, worker)
    await worker.evaluated
  }
}

/** One program in its worker. */
class Running {
  /** Resolves when the module was evaluated, has failed or was ended, or when that takes long. */
  readonly evaluated: Promise<void>
  readonly #control: MessagePort

  constructor(url: string, request: Omit<StartRequest, 'control'>, post: (report: Report) => void, ended: () => void) {
    const { program } = request
    const { port1, port2 } = new MessageChannel()
    this.#control = port1
    const worker = new Worker(url, { name: program })
    let settle = (): void => {}
    this.evaluated = new Promise((resolve) => {
      settle = resolve
    })
    const fail = (text: string): void => post({ kind: 'log', program, level: 'error', text, skipped: 0 })
    let unanswered = 0
    // From the beginning of the evaluation: a busy machine may take long to start a worker.
    const watch = (): void => {
      setTimeout(settle, START_TIMEOUT)
      const watchdog = setInterval(() => {
        if (unanswered < MOST_PINGS) {
          unanswered++
          this.order({ order: 'ping' })
          return
        }
        clearInterval(watchdog)
        worker.terminate()
        fail(
          `${program}.js did nothing but compute for ${(PING * MOST_PINGS) / 1000} s, and was ended. Is there an endless loop?`,
        )
        post({ kind: 'state', program, state: 'ended' })
        ended()
        settle()
      }, PING)
    }
    port1.onmessage = ({ data }: MessageEvent<Report | { readonly kind: 'pong' }>) => {
      if (data?.kind === 'pong') {
        // Only an answer counts: a loop may print without end.
        unanswered = 0
        return
      }
      // A worker speaks for its own program only.
      post(data.kind === 'wire' ? data : { ...data, program })
      if (data.kind !== 'state') return
      if (data.state === 'running') watch()
      else settle()
    }
    worker.onerror = (event) => {
      event.preventDefault()
      fail(event.message || 'The worker failed.')
      settle()
    }
    const transfer = [port2, ...Object.values(request.networks)]
    worker.postMessage({ ...request, control: port2 } satisfies StartRequest, transfer)
  }

  order(order: Order): void {
    this.#control.postMessage(order)
  }
}

/**
 * Parses a module without running it: its last import cannot be resolved. Only a script element reports the line of a
 * syntax error.
 */
function syntaxError(code: string): Promise<{ readonly text: string; readonly line: number } | undefined> {
  return new Promise((resolve) => {
    const script = document.createElement('script')
    const settle = (error?: { readonly text: string; readonly line: number }): void => {
      removeEventListener('error', failed)
      script.remove()
      resolve(error)
    }
    const failed = (event: ErrorEvent): void => {
      event.preventDefault()
      const text = /SyntaxError: (?:Failed to execute .*?: )?(.*)/s.exec(event.message)?.[1]
      const lines = code.trimEnd().split('\n').length
      if (text === undefined) settle()
      else if (event.lineno <= lines) settle({ text: `SyntaxError: ${text}`, line: event.lineno })
      else settle({ text: 'SyntaxError: Unexpected end of input', line: lines })
    }
    addEventListener('error', failed)
    script.onerror = () => settle()
    setTimeout(settle, START_TIMEOUT)
    script.type = 'module'
    script.nonce = nonce
    script.textContent = `${code}\n;import 'never-resolved'`
    document.head.append(script)
  })
}
