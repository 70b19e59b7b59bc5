/** One client that polls, as a transport: what is sent to it waits for its polls, what it posts comes in order. */

import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { isBatched } from '../transport/batched.ts'
import { BROKEN, Inbox } from '../transport/inbox.ts'
import type { CloseInfo, Frame, Transport, TransportSink } from '../transport/transport.ts'
import { bodyOf, fail, reply } from './http.ts'

export interface PolledOptions {
  readonly protocol: string
  readonly hold: number
  readonly timeout: number
  /** Bytes that a post may have. */
  readonly maxPayload: number
  /** The status that says that something was taken. */
  readonly accepted: number
}

/** So much goes into one answer, if there is more than one frame. */
const ANSWER_SIZE = 1_048_576

export class Polled implements Transport {
  readonly protocol: string
  readonly accepted: number
  /** Resolves when nothing is left of it. */
  readonly ended: Promise<void>
  /** Why what was posted is no message. */
  failure: string | undefined
  readonly #hold: number
  readonly #timeout: number
  readonly #text: boolean
  readonly #inbox = new Inbox()
  #resolve!: () => void
  #queue: Uint8Array[] = []
  #size = 0
  /** The poll that hangs. */
  #poll: ServerResponse | undefined
  /** The answer that its client has not taken yet. */
  #answer: ServerResponse | undefined
  #timer: NodeJS.Timeout | undefined
  /** How this side ended it; the client hears of it when it has heard everything else. */
  #info: CloseInfo | undefined
  #over = false
  /** While it is paused, posts are answered when this resolves: who posts one at a time has to wait. */
  #paused: { readonly over: Promise<void>; readonly end: () => void } | undefined
  /** Posts come in the order in which they began. */
  #posts: Promise<void> = Promise.resolve()
  readonly #most: number
  readonly #room: { left: number }

  constructor({ protocol, hold, timeout, maxPayload: most, accepted }: PolledOptions) {
    this.protocol = protocol
    this.#most = most
    this.#room = { left: most }
    this.accepted = accepted
    this.#hold = hold
    this.#timeout = timeout
    this.#text = /^wamp\.2\.json\b/.test(protocol)
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#await()
  }

  get backlog(): number {
    return this.#size
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  send(frame: Frame): void {
    if (this.#inbox.closed) return
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    this.#queue.push(bytes)
    this.#size += bytes.length
    // With what else is sent in this turn, where batches are spoken.
    if (this.#poll && this.#queue.length === 1) process.nextTick(() => this.#say())
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    this.resume()
    this.#info = { code, reason }
    if (code !== 1000) this.failure ??= reason
    // In a later turn, as every other transport.
    process.nextTick(() => this.#say())
  }

  terminate(): void {
    this.#inbox.mute()
    this.#poll?.destroy()
    this.#end(BROKEN)
  }

  pause(): void {
    if (this.#over || this.#paused) return
    let end = (): void => {}
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#paused = { over, end }
  }

  resume(): void {
    this.#paused?.end()
    this.#paused = undefined
  }

  /** The client closed it, after what it posted before. */
  async closeByClient(): Promise<void> {
    this.resume()
    await this.#posts
    const poll = this.#poll
    this.#poll = undefined
    if (poll) reply(poll, 204)
    this.#end(this.#info ?? { code: 1000, reason: '' })
  }

  /** A poll: answered when there is something, or after a while with nothing. */
  receive(response: ServerResponse): void {
    // Else a client could have any number of answers that it does not read.
    if (this.#poll || this.#answer?.writableFinished === false) {
      fail(response, 409, 'another poll of this transport is under way')
      return
    }
    clearTimeout(this.#timer)
    this.#poll = response
    this.#timer = setTimeout(() => this.#say(true), Math.min(this.#hold, LONGEST_TIMER))
    this.#timer.unref()
    response.on('close', () => {
      if (this.#poll === response) this.#unpolled()
    })
    this.#say()
  }

  #unpolled(): void {
    this.#poll = undefined
    this.#await()
  }

  /** A post: one message, or one batch. */
  async deliver(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.#posts
    let done!: () => void
    this.#posts = new Promise((resolve) => {
      done = resolve
    })
    let body: Buffer | undefined
    try {
      body = await bodyOf(request, this.#room)
      if (body) await before
      else this.#end({ code: 1009, reason: `a message may have ${this.#most} bytes` })
      if (!body) fail(response, 413, `a message may have ${this.#most} bytes`)
      else if (this.#over) fail(response, 404, 'the transport is closed')
      else await this.#accept(body, response)
    } catch (error) {
      // What it said is lost, and what comes behind it would be out of order.
      this.terminate()
      throw error
    } finally {
      // Not before: while it waits for the posts before it, it takes room.
      this.#room.left += body?.length ?? 0
      done()
    }
  }

  async #accept(body: Buffer, response: ServerResponse): Promise<void> {
    const refused = this.#take(body)
    if (this.#paused) await this.#paused.over
    if (refused === undefined) reply(response, this.accepted)
    else fail(response, 400, refused)
  }

  /** Why the body of a post is refused, if it is. */
  #take(bytes: Buffer): string | undefined {
    if (bytes.length === 0) return this.#refuse('a post has a message')
    if (this.#text && !isUtf8(bytes)) return this.#refuse('the text is no UTF-8')
    this.failure = undefined
    this.#inbox.frame(this.#text ? bytes.toString() : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    return this.failure
  }

  #refuse(why: string): string {
    this.#end({ code: 1007, reason: why })
    return why
  }

  /** Answers the poll that hangs with what there is. */
  #say(anyway = false): void {
    const poll = this.#poll
    if (!poll || this.#over || (!anyway && this.#queue.length === 0 && !this.#info)) return
    // Node tells a response nothing that waits behind another one when their connection breaks.
    if (poll.req.socket.destroyed) {
      this.#unpolled()
      return
    }
    this.#poll = undefined
    const body = this.#next()
    if (!body && this.#info) {
      fail(poll, 410, 'the router closed the transport')
      this.#end(this.#info)
      return
    }
    this.#answer = poll
    // Who does not read its answer is as lost as who does not poll; a long one may take its time.
    this.#await(1 + (body?.length ?? 0) / ANSWER_SIZE)
    poll.once('close', () => {
      // Whatever was in it is lost.
      if (body && !poll.writableFinished) this.terminate()
      else if (this.#answer === poll) this.#await()
    })
    if (body) reply(poll, 200, this.#text ? 'application/json' : 'application/octet-stream', body)
    else reply(poll, 204)
  }

  /** One message; of batches, which may be put one behind the other, as many as there are. */
  #next(): Uint8Array | undefined {
    let count = Math.min(1, this.#queue.length)
    let size = this.#queue[0]?.length ?? 0
    while (isBatched(this.protocol) && count < this.#queue.length && size < ANSWER_SIZE) {
      size += (this.#queue[count++] as Uint8Array).length
    }
    this.#size -= size
    const taken = this.#queue.splice(0, count)
    return count > 1 ? Buffer.concat(taken) : taken[0]
  }

  /** Nobody polls: for a while that is to be expected. */
  #await(times = 1): void {
    if (this.#over || this.#poll) return
    clearTimeout(this.#timer)
    if (!this.#timeout) return
    this.#timer = setTimeout(() => this.terminate(), Math.min(times * this.#timeout, LONGEST_TIMER))
    this.#timer.unref()
  }

  #end(info: CloseInfo): void {
    if (this.#over) return
    this.#over = true
    this.resume()
    clearTimeout(this.#timer)
    const poll = this.#poll
    this.#poll = undefined
    if (poll && !poll.destroyed) fail(poll, 410, 'the transport is closed')
    if (this.#answer?.writableFinished === false) this.#answer.destroy()
    this.#queue = []
    this.#size = 0
    this.#inbox.end(info)
    this.#resolve()
  }
}
