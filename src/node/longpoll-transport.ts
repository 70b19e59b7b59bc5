/** One polling client as a transport: frames to it wait for its polls, and its posts are delivered in order. */

import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { isBatched } from '../transport/batched.ts'
import { BROKEN, Inbox } from '../transport/inbox.ts'
import type { CloseInfo, Frame, Transport, TransportSink } from '../transport/transport.ts'
import { bodyOf, fail, reply } from './http-server.ts'

export interface PolledOptions {
  readonly protocol: string
  readonly hold: number
  readonly timeout: number
  /** The greatest size of a post, in bytes. */
  readonly maxPayload: number
  /** The HTTP status of an accepted request. */
  readonly accepted: number
}

/** The size in bytes at which no further frames are added to an answer. */
const ANSWER_SIZE = 1_048_576

export class Polled implements Transport {
  readonly protocol: string
  readonly accepted: number
  /** Resolves when the transport has ended. */
  readonly ended: Promise<void>
  /** The reason why the last post is not a valid message. */
  failure: string | undefined
  readonly #hold: number
  readonly #timeout: number
  readonly #text: boolean
  readonly #inbox = new Inbox()
  #resolve!: () => void
  #queue: Uint8Array[] = []
  #size = 0
  /** The open poll. */
  #poll: ServerResponse | undefined
  /** The answer that the client has not received yet. */
  #answer: ServerResponse | undefined
  #timer: NodeJS.Timeout | undefined
  /** Set when this side has closed; the client is notified after all frames. */
  #info: CloseInfo | undefined
  #ended = false
  /** While paused, posts are answered only when this resolves: a client that posts one at a time has to wait. */
  #paused: { readonly resumed: Promise<void>; readonly end: () => void } | undefined
  /** The previous post: posts are delivered in the order in which they began. */
  #posts: Promise<void> = Promise.resolve()
  readonly #maxPayload: number
  readonly #room: { left: number }

  constructor({ protocol, hold, timeout, maxPayload, accepted }: PolledOptions) {
    this.protocol = protocol
    this.#maxPayload = maxPayload
    this.#room = { left: maxPayload }
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
    // After this turn, so that a batch includes all frames of the turn.
    if (this.#poll && this.#queue.length === 1) process.nextTick(() => this.#answerPoll())
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    this.resume()
    this.#info = { code, reason }
    if (code !== 1000) this.failure ??= reason
    // In a later turn, like every other transport.
    process.nextTick(() => this.#answerPoll())
  }

  terminate(): void {
    this.#inbox.mute()
    this.#poll?.destroy()
    this.#end(BROKEN)
  }

  pause(): void {
    if (this.#ended || this.#paused) return
    let end = (): void => {}
    const resumed = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#paused = { resumed, end }
  }

  resume(): void {
    this.#paused?.end()
    this.#paused = undefined
  }

  /** The client closed: the transport ends after the posts before. */
  async closeByClient(): Promise<void> {
    this.resume()
    await this.#posts
    const poll = this.#poll
    this.#poll = undefined
    if (poll) reply(poll, 204)
    this.#end(this.#info ?? { code: 1000, reason: '' })
  }

  /** A poll: answered with the next frames, or without a body when its time is up. */
  receive(response: ServerResponse): void {
    // Otherwise a client could collect any number of unread answers.
    if (this.#poll || this.#answer?.writableFinished === false) {
      fail(response, 409, 'another poll of this transport is under way')
      return
    }
    clearTimeout(this.#timer)
    this.#poll = response
    this.#timer = setTimeout(() => this.#answerPoll(true), Math.min(this.#hold, LONGEST_TIMER))
    this.#timer.unref()
    response.on('close', () => {
      if (this.#poll === response) this.#unpolled()
    })
    this.#answerPoll()
  }

  #unpolled(): void {
    this.#poll = undefined
    this.#await()
  }

  /** A post: one message, or one batch. */
  async deliver(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.#posts
    let release!: () => void
    this.#posts = new Promise((resolve) => {
      release = resolve
    })
    let body: Buffer | undefined
    try {
      body = await bodyOf(request, this.#room)
      const length = Number(request.headers['content-length'])
      const tooLong = `a message may have at most ${this.#maxPayload} bytes${length > this.#maxPayload ? `, got ${length}` : ''}`
      if (body) await before
      else this.#end({ code: 1009, reason: tooLong })
      if (!body) fail(response, 413, tooLong)
      else if (this.#ended) fail(response, 404, 'the transport is closed')
      else await this.#accept(body, response)
    } catch (error) {
      // The post is lost, and later posts would be out of order.
      this.terminate()
      throw error
    } finally {
      // Not earlier: the body takes room while it waits for the posts before it.
      this.#room.left += body?.length ?? 0
      release()
    }
  }

  async #accept(body: Buffer, response: ServerResponse): Promise<void> {
    const refusal = this.#take(body)
    if (this.#paused) await this.#paused.resumed
    if (refusal === undefined) reply(response, this.accepted)
    else fail(response, 400, refusal)
  }

  /** Delivers the body of a post; returns the reason if it is refused. */
  #take(bytes: Buffer): string | undefined {
    if (bytes.length === 0) return this.#refuse('a post must contain a message')
    if (this.#text && !isUtf8(bytes)) return this.#refuse('the text is not valid UTF-8')
    this.failure = undefined
    this.#inbox.frame(this.#text ? bytes.toString() : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    return this.failure
  }

  #refuse(reason: string): string {
    this.#end({ code: 1007, reason })
    return reason
  }

  /** Answers the open poll with the queued frames; with `anyway` even if there are none. */
  #answerPoll(anyway = false): void {
    const poll = this.#poll
    if (!poll || this.#ended || (!anyway && this.#queue.length === 0 && !this.#info)) return
    // Node emits no 'close' for a response that is queued behind another when the connection breaks.
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
    // A client that does not read its answer is as lost as one that does not poll; a long answer gets more time.
    this.#await(1 + (body?.length ?? 0) / ANSWER_SIZE)
    poll.once('close', () => {
      // The frames in it are lost.
      if (body && !poll.writableFinished) this.terminate()
      else if (this.#answer === poll) this.#await()
    })
    if (body) reply(poll, 200, this.#text ? 'application/json' : 'application/octet-stream', body)
    else reply(poll, 204)
  }

  /** Returns the next frame. Batched frames are concatenated, up to the size of an answer. */
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

  /** Starts the time in which the client must poll again. */
  #await(times = 1): void {
    if (this.#ended || this.#poll) return
    clearTimeout(this.#timer)
    if (!this.#timeout) return
    this.#timer = setTimeout(() => this.terminate(), Math.min(times * this.#timeout, LONGEST_TIMER))
    this.#timer.unref()
  }

  #end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
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
