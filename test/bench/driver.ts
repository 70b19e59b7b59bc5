/** The load driver, a process of its own: keeps calls or events under way and counts them when asked. */

import { CALL, EVENT, HELLO, INVOCATION, PUBLISH, REGISTER, RESULT, SUBSCRIBE, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import type { MatchPolicy } from '../../src/protocol/options.ts'
import { load, URIS } from './load.ts'
import { Connection, Counter, DIGITS, encoded, type Format, framed, Reader, Template } from './wire.ts'

export interface Job {
  readonly kind: 'calls' | 'events' | 'sessions' | 'callee' | 'load'
  readonly url: string
  readonly format: Format
  /** Bytes of text in each payload. */
  readonly size?: number
  /** Callers, subscribers or sessions. */
  readonly peers?: number
  /** Calls of one caller, or publications, under way at a time. */
  readonly depth?: number
  /** How the procedure is registered or the topic subscribed to. */
  readonly match?: MatchPolicy
  /** Whether each call or publication has a URI of its own. */
  readonly differing?: boolean
  /** Unrelated registrations, and as many subscriptions, that stay for as long as the driver. */
  readonly patterns?: number
}

export interface Count {
  /** Calls that were answered, or events that arrived. */
  readonly done: number
  /** Milliseconds from call to result, since the last count. */
  readonly latencies: readonly number[]
}

export type Order = { readonly start: Job } | 'count' | 'stop'

const PROCEDURE = { pattern: 'bench.echo', uri: 'bench.echo' }
const TOPIC = { pattern: 'bench.topic', uri: 'bench.topic' }
/** Request ids as long as those of a session that has been busy for a while. */
const FIRST = 100_000
const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} }

let connections: Connection[] = []
let done = 0
let latencies: number[] = []

async function join(job: Job): Promise<Connection> {
  const connection = await Connection.open(new URL(job.url), job.format)
  connections.push(connection)
  const [code] = await connection.ask([HELLO, 'realm1', { roles: ROLES }])
  if (code !== 2) throw new Error(`HELLO was answered with ${code}`)
  return connection
}

const text = (job: Job) => ({ args: ['x'.repeat(job.size ?? 32)], kwargs: undefined })

const optionsOf = ({ match }: Job) => (match ? { match } : {})

/** Gives a frame the next number, if each is to have its own. */
function numbered({ differing }: Job, sample: Buffer): (frame: Buffer) => Buffer {
  const place = sample.indexOf(DIGITS)
  if (!differing) return (frame) => frame
  if (place < 0) throw new Error('this URI has no place for a number')
  const counter = new Counter()
  return (frame) => {
    counter.write(frame, place)
    return frame
  }
}

async function callee(job: Job): Promise<void> {
  const connection = await join(job)
  const { pattern } = job.match ? URIS[job.match] : PROCEDURE
  const [code] = await connection.ask([REGISTER, 1, optionsOf(job), pattern])
  if (code !== 65) throw new Error(`REGISTER was answered with ${code}`)
  const answer = new Template(job.format, (id) => [YIELD, id, {}, text(job)])
  const reader = new Reader(job.format)
  connection.onMessage = (bytes, start) => {
    reader.read(bytes, start)
    if (reader.code !== INVOCATION) throw new Error(`the callee got ${reader.code}`)
    connection.appendWith(answer, reader.id)
  }
}

async function calls(job: Job): Promise<void> {
  await callee(job)
  const { peers = 1, depth = 1 } = job
  const { uri } = job.match ? URIS[job.match] : PROCEDURE
  const frameOf = (slot: number) => framed(job.format, encoded(job.format, [CALL, FIRST + slot, {}, uri, text(job)]))
  const next = numbered(job, frameOf(0))
  for (let i = 0; i < peers; i++) {
    const caller = await join(job)
    // An id is used again as soon as its call is answered, so each frame is made once.
    const frames = Array.from({ length: depth }, (_, slot) => frameOf(slot))
    const began = new Float64Array(depth)
    const reader = new Reader(job.format)
    caller.onMessage = (bytes, start) => {
      reader.read(bytes, start)
      if (reader.code !== RESULT) throw new Error(`a caller got ${reader.code}`)
      const slot = reader.id - FIRST
      done++
      if (depth === 1) {
        const now = performance.now()
        latencies.push(now - (began[slot] as number))
        began[slot] = now
      }
      caller.append(next(frames[slot] as Buffer))
    }
    for (const [slot, frame] of frames.entries()) {
      began[slot] = performance.now()
      caller.append(next(frame))
    }
    caller.flush()
  }
}

async function events(job: Job): Promise<void> {
  const { peers = 1, depth = 1 } = job
  const { pattern, uri } = job.match ? URIS[job.match] : TOPIC
  const publisher = await join(job)
  const frame = framed(job.format, encoded(job.format, [PUBLISH, FIRST, {}, uri, text(job)] as Message))
  const next = numbered(job, frame)
  let due = depth * peers
  for (let i = 0; i < peers; i++) {
    const subscriber = await join(job)
    const [code] = await subscriber.ask([SUBSCRIBE, 1, optionsOf(job), pattern])
    if (code !== 33) throw new Error(`SUBSCRIBE was answered with ${code}`)
    const reader = new Reader(job.format)
    let published = false
    subscriber.onMessage = (bytes, start) => {
      reader.read(bytes, start)
      if (reader.code !== EVENT) throw new Error(`a subscriber got ${reader.code}`)
      done++
      // As soon as all have one publication, there is the next.
      if (--due % peers === 0) {
        due += peers
        publisher.append(next(frame))
        if (!published) setImmediate(() => publish())
        published = true
      }
    }
    const publish = (): void => {
      published = false
      publisher.flush()
    }
  }
  for (let i = 0; i < depth; i++) publisher.append(next(frame))
  publisher.flush()
}

async function sessions(job: Job): Promise<void> {
  let left = job.peers ?? 1
  const worker = async (): Promise<void> => {
    while (left-- > 0) await join(job)
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}

async function loaded(job: Job): Promise<void> {
  const { peers = 1, patterns = 0 } = job
  await load(await Promise.all(Array.from({ length: peers }, () => join(job))), patterns)
}

const KINDS = { calls, events, sessions, callee, load: loaded }

process.on('message', async (order: Order) => {
  if (order === 'count') {
    process.send?.({ done, latencies } satisfies Count)
    latencies = []
    return
  }
  if (order === 'stop') {
    for (const connection of connections) connection.destroy()
    connections = []
    done = 0
    latencies = []
  } else await KINDS[order.start.kind](order.start)
  process.send?.('ready')
})

process.on('disconnect', () => process.exit())
