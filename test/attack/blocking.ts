/**
 * `node --import tsx test/attack/blocking.ts`: for how long one message of 16 MB can keep the thread, in milliseconds, by
 * kind of payload: a router that passes it on, or transcodes it for another serializer, and a client that reads it. Ends
 * with code 1 if a budget is exceeded. `--size=BYTES`, `--only=PART_OF_A_NAME`, `--heap` for the memory of each step.
 */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { WampError } from '../../src/protocol/error.ts'
import type { Message, PublishMessage } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { forRouter } from '../../src/serializer/routed-json.ts'
import type { Frame, Serializer } from '../../src/serializer/serializer.ts'
import { type Attack, corpus } from './corpus.ts'

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: String(2 ** 24 - 1024) },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '2' },
  },
})

/** What each step may take for a message of 16 MB. */
const BUDGETS = { pass: 250, transcode: 500, read: 3000 }

const SERIALIZERS = { json, cbor, msgpack }
const FORMATS = ['json', 'cbor', 'msgpack'] as const

/** As transports hand a frame over. */
const frameOf = ({ format, frame }: Attack): Frame => (format === 'json' ? frame.toString() : new Uint8Array(frame))

/** Milliseconds for which this thread has run: on a busy machine it waits for the processor as well. */
function now(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
  } catch {
    return performance.now()
  }
}

/** The least of some rounds, since the collector of garbage disturbs each of them; a refusal is marked. */
function timed<T>(work: () => T): { text: string; took: number; result: T | undefined } {
  let took = Number.POSITIVE_INFINITY
  let result: T | undefined
  let mark = ''
  for (let round = 0; round < Number(options.rounds); round++) {
    const began = now()
    try {
      result = work()
    } catch (error) {
      if (!WampError.is(error)) throw error
      mark = error.uri.endsWith('protocol_violation') ? 'v' : 'u'
    }
    took = Math.min(took, now() - began)
  }
  return { text: `${took.toFixed(0)}${mark}`, took, result }
}

const eventOf = (message: Message): Message => [36, 1, 2, {}, (message as PublishMessage)[4]]

/** A message is decoded anew for each step: a payload may cache its decoded values. */
function steps(attack: Attack): { name: keyof typeof BUDGETS; text: string; took: number }[] {
  const own: Serializer = SERIALIZERS[attack.format]
  const routed = forRouter(own)
  const frame = frameOf(attack)
  const passed = timed(() => own.encode(eventOf(routed.decode(frame))))
  const results: { name: keyof typeof BUDGETS; text: string; took: number }[] = [{ ...passed, name: 'pass' }]
  for (const format of FORMATS) {
    if (format === attack.format) results.push({ name: 'transcode', text: '-', took: 0 })
    else results.push({ ...timed(() => SERIALIZERS[format].encode(eventOf(routed.decode(frame)))), name: 'transcode' })
  }
  results.push({ ...timed(() => (own.decode(frame) as PublishMessage)[4]?.args?.length), name: 'read' })
  return results
}

console.log('ms for one message; u: refused as unsendable, v: refused as a violation\n')
const line = (cells: readonly string[]) =>
  console.log(
    `${cells[0]?.padEnd(46)}${cells
      .slice(1)
      .map((cell) => cell.padStart(10))
      .join('')}`,
  )
line(['payload', 'pass on', 'to json', 'to cbor', 'to msgpack', 'read'])
const over: string[] = []
for (const attack of corpus(Number(options.size))) {
  const title = `${attack.format}: ${attack.name}`
  if (!title.includes(options.only)) continue
  const results = steps(attack)
  line([title, ...results.map(({ text }) => text)])
  for (const { name, took } of results) {
    if (took > BUDGETS[name]) over.push(`${title}: ${name} took ${took.toFixed(0)} ms, the budget is ${BUDGETS[name]}`)
  }
}
for (const text of over) console.error(text)
process.exitCode = over.length > 0 ? 1 : 0
