/** The load driver, a process of its own: keeps calls or events under way and counts them when asked. */

import {
  CALL,
  EVENT,
  HELLO,
  INVOCATION,
  PUBLISH,
  REGISTER,
  RESULT,
  SUBSCRIBE,
  YIELD,
} from '../../src/protocol/codes.ts'
import type { Message } from '../../src/protocol/messages.ts'
import { Connection, encoded, type Format, framed, Reader, Template } from './wire.ts'

export interface Job {
  readonly kind: 'calls' | 'events' | 'sessions' | 'callee'
  readonly url: string
  readonly format: Format
  /** Bytes of text in each payload. */
  readonly size?: number
  /** Callers, subscribers or sessions. */
  readonly peers?: number
  /** Calls of one caller, or publications, under way at a time. */
  readonly depth?: number
}

export interface Count {
  /** Calls that were answered, or events that arrived. */
  readonly done: number
  /** Milliseconds from call to result, since the last count. */
  readonly latencies: readonly number[]
}

export type Order = { readonly start: Job } | 'count' | 'stop'

const URI = 'bench.echo'
const TOPIC = 'bench.topic'
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

async function callee(job: Job): Promise<void> {
  const connection = await join(job)
  const [code] = await connection.ask([REGISTER, 1, {}, URI])
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
  for (let i = 0; i < peers; i++) {
    const caller = await join(job)
    // An id is used again as soon as its call is answered, so each frame is made once.
    const frames = Array.from({ length: depth }, (_, slot) =>
      framed(job.format, encoded(job.format, [CALL, FIRST + slot, {}, URI, text(job)])),
    )
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
      caller.append(frames[slot] as Buffer)
    }
    for (const [slot, frame] of frames.entries()) {
      began[slot] = performance.now()
      caller.append(frame)
    }
    caller.flush()
  }
}

async function events(job: Job): Promise<void> {
  const { peers = 1, depth = 1 } = job
  const publisher = await join(job)
  const frame = framed(job.format, encoded(job.format, [PUBLISH, FIRST, {}, TOPIC, text(job)] as Message))
  let due = depth * peers
  for (let i = 0; i < peers; i++) {
    const subscriber = await join(job)
    const [code] = await subscriber.ask([SUBSCRIBE, 1, {}, TOPIC])
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
        publisher.append(frame)
        if (!published) setImmediate(() => publish())
        published = true
      }
    }
    const publish = (): void => {
      published = false
      publisher.flush()
    }
  }
  for (let i = 0; i < depth; i++) publisher.append(frame)
  publisher.flush()
}

async function sessions(job: Job): Promise<void> {
  let left = job.peers ?? 1
  const worker = async (): Promise<void> => {
    while (left-- > 0) await join(job)
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}

const KINDS = { calls, events, sessions, callee }

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
