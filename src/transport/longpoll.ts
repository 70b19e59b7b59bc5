/** WAMP over HTTP long polls (Advanced Profile, HTTP Longpoll Transport), for networks that block WebSocket. */

import { usage, WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED } from '../protocol/names.ts'
import { ANY_OBJECT, checkRules, FUNCTION, type OptionRules } from '../protocol/option-rules.ts'
import { strictTextDecoder } from '../protocol/text.ts'
import { isBatched } from './batched.ts'
import { failureText } from './failure-text.ts'
import { BROKEN, Inbox } from './inbox.ts'
import {
  CLOSE_TIMEOUT,
  type CloseInfo,
  type Dial,
  type Frame,
  type Transport,
  type TransportSink,
} from './transport.ts'
import { hideSecrets, withoutSecrets } from './url.ts'

export interface LongPollDialOptions {
  /** Headers of every request, such as a token. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether cookies are sent, as in `fetch`. */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined
  /** A `fetch` to use instead of the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

const LONG_POLL_DIAL_RULES: OptionRules<LongPollDialOptions> = {
  headers: ANY_OBJECT,
  credentials: ['omit, same-origin or include', (value) => /^(omit|same-origin|include)$/.test(String(value))],
  fetch: FUNCTION,
}

type Post = (
  path: string,
  body: string | Uint8Array,
  signal: AbortSignal | undefined,
  last?: boolean,
) => Promise<Response>

/**
 * A dial for the option `dial` of a WampRouter, over `fetch`. An `http(s)://` URL is the base of the paths; for the
 * `ws(s)://` URL of a router it is the default of `serve`: that URL with `/lp` appended.
 *
 * @example
 * new WampRouter({ url: 'http://localhost:8080/ws/lp', dial: batching(longPollDial()) })
 */
export function longPollDial(options: LongPollDialOptions = {}): Dial {
  checkRules('longPollDial', options, LONG_POLL_DIAL_RULES)
  return async (url, protocols, signal) => {
    signal.throwIfAborted()
    const base = baseOf(url)
    const { credentials } = options
    const post: Post = (path, body, aborted, last = false) =>
      (options.fetch ?? fetch)(`${base}/${path}`, {
        method: 'POST',
        // The type of bytes depends on their buffer; `fetch` accepts all of them.
        body: body as BodyInit,
        // Without a type the closing request needs no preflight; a page that is being left cannot await its answer.
        headers: { ...(!last && { 'Content-Type': 'application/json' }), ...options.headers },
        ...(aborted && { signal: aborted }),
        cache: 'no-store',
        // The closing request must get through even if the page is being left.
        ...(last && { keepalive: true }),
        ...(credentials && { credentials }),
      })
    const { protocol, transport } = await openTransport(url, post, protocols, signal)
    return new LongPoll(
      protocol,
      (path, ...rest) => post(`${transport}/${path}`, ...rest),
      () => {
        const path = `${transport}/close`
        // Firefox and WebKit drop the requests of a page that is left, but not its beacons, which have no headers.
        const { navigator } = globalThis as { navigator?: Partial<Navigator> }
        const sent = !options.fetch && navigator?.sendBeacon?.(`${base}/${path}`)
        if (!sent || options.headers) void post(path, '', undefined, true).catch(() => {})
      },
    )
  }
}

function baseOf(url: string): string {
  const [, scheme, place] = /^(https?|wss?)(:\/\/[^?#]+?)\/*$/i.exec(url) ?? []
  if (!scheme)
    throw usage(`"${withoutSecrets(url)}" is not a valid address for long polls: expected http:// or https://`)
  return /^ws/i.test(scheme) ? `${scheme.replace(/^ws/i, 'http')}${place}/lp` : `${scheme}${place}`
}

async function openTransport(
  url: string,
  post: Post,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<{ protocol: string; transport: string }> {
  const failed = (reason: string, cause?: unknown): WampError =>
    new WampError(
      CONNECTION_FAILED,
      [`could not connect to ${withoutSecrets(url)}: ${reason}`],
      {},
      cause === undefined ? {} : { cause },
    )
  let response: Response
  let text: string
  try {
    response = await post('open', JSON.stringify({ protocols }), signal)
    text = await response.text()
  } catch (error) {
    signal.throwIfAborted()
    // Node's own message is only "fetch failed"; the reason is its cause.
    const text = hideSecrets(failureText((error as Error).cause) || failureText(error))
    throw failed(
      `${text}; is a router listening there, and may this page poll it (origins, Content-Security-Policy)?`,
      withoutSecrets(url) === url ? error : undefined,
    )
  }
  if (response.status !== 200) throw failed(`${response.status} ${text.trim().slice(0, 200)}; is the path right?`)
  const { protocol, transport } = parseAnswer(text)
  if (typeof protocol !== 'string' || typeof transport !== 'string') throw failed('the server there is not a router')
  if (!protocols.includes(protocol)) throw failed(`the router chose ${protocol}, which was not offered`)
  return { protocol, transport: encodeURIComponent(transport) }
}

function parseAnswer(text: string): { protocol?: unknown; transport?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}

class LongPoll implements Transport {
  readonly protocol: string
  readonly #post: Post
  /** Tells the router of the end, and awaits nothing. */
  readonly #leave: () => void
  readonly #text: boolean
  readonly #inbox = new Inbox()
  readonly #abort = new AbortController()
  #queue: Frame[] = []
  #size = 0
  #posting = false
  #info: CloseInfo | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined

  constructor(protocol: string, post: Post, leave: () => void) {
    this.protocol = protocol
    this.#post = post
    this.#leave = leave
    this.#text = /^wamp\.2\.json\b/.test(protocol)
    this.#poll()
  }

  get backlog(): number {
    return this.#size
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  send(frame: Frame): void {
    if (this.#inbox.closed) return
    this.#queue.push(frame)
    this.#size += frame.length
    this.#flush()
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    // Long polls have no message that would carry the code and the reason to the peer.
    this.#info = { code, reason }
    this.#deadline = setTimeout(() => this.terminate(), CLOSE_TIMEOUT)
    this.#flush()
  }

  terminate(): void {
    // The closing request of a close that can wait no longer: without it the router would wait for the next poll.
    if (this.#info && !this.#abort.signal.aborted) this.#leave()
    this.#end(BROKEN)
  }

  #end(info: CloseInfo): void {
    clearTimeout(this.#deadline)
    this.#inbox.mute()
    this.#abort.abort()
    this.#queue = []
    this.#size = 0
    this.#inbox.end(info)
  }

  /** One poll at a time, until the end. */
  async #poll(): Promise<void> {
    const { signal } = this.#abort
    try {
      while (!this.#inbox.closed) {
        const response = await this.#post('receive', '', signal)
        if (response.status === 410) return this.#endedByRouter()
        if (!response.ok) throw response
        const bytes = new Uint8Array(await response.arrayBuffer())
        // Invalid UTF-8 breaks the transport, as in a WebSocket.
        const frame = this.#text ? strictTextDecoder().decode(bytes) : bytes
        // A poll without frames is answered with an empty body.
        if (frame.length > 0) this.#inbox.frame(frame)
      }
    } catch {
      // If this side closes, the router drops this poll.
      if (this.#info) return
      // Firefox and WebKit break the poll of a page that is left before its `pagehide`.
      if (!signal.aborted) this.#leave()
      this.#end(BROKEN)
    }
  }

  #endedByRouter(): void {
    if (!this.#info) this.#end({ code: 1000, reason: '' })
  }

  /** One post at a time, in order. */
  async #flush(): Promise<void> {
    if (this.#posting) return
    this.#posting = true
    const { signal } = this.#abort
    try {
      while (this.#queue.length > 0) {
        const body = this.#next()
        const response = await this.#post('send', body, signal)
        // An unread body would keep its connection from being reused.
        await response.arrayBuffer()
        if (signal.aborted) return
        if (!response.ok) throw response
        this.#size -= body.length
      }
      if (this.#info) {
        const response = await this.#post('close', '', signal, true)
        await response.arrayBuffer()
        this.#end(this.#info)
      }
    } catch (error) {
      this.#end(error instanceof Response && error.status === 413 ? TOO_LONG : BROKEN)
    }
    this.#posting = false
  }

  /** Concatenated batches are one batch, so frames that wait leave together, up to the length of a usual one. */
  #next(): Frame {
    if (!isBatched(this.protocol)) return this.#queue.shift() as Frame
    let count = 0
    let length = 0
    do length += (this.#queue[count++] as Frame).length
    while (count < this.#queue.length && length + (this.#queue[count] as Frame).length <= MOST_TOGETHER)
    const frames = this.#queue.splice(0, count)
    if (this.#text) return frames.join('')
    const whole = new Uint8Array(frames.reduce((size, { length }) => size + length, 0))
    let at = 0
    for (const frame of frames as Uint8Array[]) {
      whole.set(frame, at)
      at += frame.length
    }
    return whole
  }
}

/** Bytes or characters of the batches that leave together: a router limits the length of what it receives. */
const MOST_TOGETHER = 2 ** 20

const TOO_LONG: CloseInfo = { code: 1009, reason: 'the message is longer than the router accepts' }
