/** Guarantees of a link in memory: turns, order, copies by the rules of `plain`, one end. */

import { expect, test } from 'vitest'
import { CALL, EVENT, GOODBYE, UNREGISTERED, UNSUBSCRIBED, WELCOME } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { INVALID_ARGUMENT } from '../../src/protocol/names.ts'
import type { Payload } from '../../src/protocol/payload.ts'
import type { LinkSink } from '../../src/session/link.ts'
import { linked } from '../../src/session/linked.ts'
import { later } from '../../src/transport/lane.ts'
import type { CloseInfo } from '../../src/transport/transport.ts'

const turn = () => new Promise<void>((resolve) => later(resolve))

class Sink implements LinkSink {
  readonly log: (Message | CloseInfo)[] = []
  message(message: Message): void {
    this.log.push(message)
  }
  failed(): void {
    throw new Error('a link in memory has no bytes to misread')
  }
  closed(info: CloseInfo): void {
    this.log.push(info)
  }
}

/** Two ends, and a log of the second. */
function pair() {
  const [a, b] = linked()
  const [atA, atB] = [new Sink(), new Sink()]
  a.open(atA)
  b.open(atB)
  return { a, b, atA, atB }
}

async function across(message: Message): Promise<Message> {
  const { a, atB } = pair()
  a.send(message)
  await turn()
  expect(atB.log).toHaveLength(1)
  return atB.log[0] as Message
}

const call = (payload?: Payload): Message => [CALL, 1, {}, 'a.b', payload]

test('a message arrives in a later turn, never within the call that sends it', async () => {
  const { a, atB } = pair()
  a.send(call())
  await Promise.resolve()
  expect(atB.log).toEqual([])
  await turn()
  expect(atB.log).toEqual([call()])
})

test('messages keep their order, before and after the other end opens', async () => {
  const [a, b] = linked()
  const sink = new Sink()
  const goodbye = (reason: string): Message => [GOODBYE, {}, reason]
  a.send(goodbye('a.first'))
  await turn()
  b.open(sink)
  a.send(goodbye('a.second'))
  await turn()
  a.send(goodbye('a.third'))
  await turn()
  expect(sink.log).toEqual(['a.first', 'a.second', 'a.third'].map(goodbye))
})

test('a message sent by a handler arrives after the handler returns', async () => {
  const [a, b] = linked()
  const log: string[] = []
  const sink = (heard: () => void): LinkSink => ({ message: heard, failed() {}, closed() {} })
  a.open(sink(() => log.push('answer heard')))
  b.open(
    sink(() => {
      b.send(call())
      log.push('handler done')
    }),
  )
  a.send(call())
  await turn()
  await turn()
  expect(log).toEqual(['handler done', 'answer heard'])
})

test('the receiver receives copies', async () => {
  const args = [{ deep: [1] }, new Uint8Array([1, 2])]
  const details = { roles: { caller: { features: {} } } }
  const copy = (await across([EVENT, 1, 2, details, { args, kwargs: { x: args[0] } }])) as unknown as readonly unknown[]
  const payload = copy[4] as Payload
  expect(copy).toEqual([EVENT, 1, 2, details, { args, kwargs: { x: { deep: [1] } } }])
  expect(copy[3]).not.toBe(details)
  expect(payload.args).not.toBe(args)
  expect(payload.args?.[0]).not.toBe(args[0])
  expect(payload.args?.[1]).not.toBe(args[1])
})

test.each<Payload | undefined>([
  undefined,
  { args: undefined, kwargs: undefined },
  { args: [], kwargs: undefined },
  { args: [], kwargs: {} },
  { args: [1], kwargs: { a: 1 } },
])('absent args and kwargs stay absent: %j', async (payload) => {
  expect((await across(call(payload)))[4]).toEqual(payload)
})

test('an optional dictionary stays absent', async () => {
  expect(await across([UNSUBSCRIBED, 1])).toEqual([UNSUBSCRIBED, 1])
  expect(await across([UNREGISTERED, 0, { reason: 'x' }])).toEqual([UNREGISTERED, 0, { reason: 'x' }])
  expect(await across([WELCOME, 1, { roles: {} }])).toEqual([WELCOME, 1, { roles: {} }])
})

test.each<[string, Message]>([
  ['args[0]', call({ args: [() => {}], kwargs: undefined })],
  ['args[1].when', call({ args: [1, { when: new Map() }], kwargs: undefined })],
  ['kwargs.x', call({ args: [], kwargs: { x: Symbol('x') } })],
  ['CALL[2].custom', [CALL, 1, { custom: () => {} }, 'a.b']],
])('%s that cannot be sent throws at the sender, and nothing is sent', async (place, message) => {
  const { a, atB } = pair()
  const refused = { uri: INVALID_ARGUMENT, message: expect.stringContaining(`${place} is a`) as string }
  expect(() => a.send(message)).toThrow(expect.objectContaining(refused))
  await turn()
  expect(atB.log).toEqual([])
})

test('a payload from a wire keeps its bytes, and decodes values for each receiver when read', async () => {
  let reads = 0
  const values = [[1, 2]]
  const source = { serializer: 'json', frame: '[[1,2]]', start: 0, end: 7, count: 1 } as const
  const original: Payload = {
    source,
    get args() {
      reads++
      return values
    },
    kwargs: undefined,
  }
  const payload = (await across(call(original)))[4] as Payload
  expect(payload.source).toBe(source)
  expect(reads).toBe(0)
  expect(payload.args).toEqual(values)
  expect(payload.args).toBe(payload.args)
  expect(payload.args?.[0]).not.toBe(values[0])
  expect(payload.kwargs).toBeUndefined()
  expect(reads).toBe(1)
})

test('both ends are closed once, after all earlier messages; later messages are ignored', async () => {
  const { a, b, atA, atB } = pair()
  a.send(call())
  a.close(4000, 'bye')
  a.send(call())
  a.close(4001, 'again')
  expect([atA.log, atB.log]).toEqual([[], []])
  await turn()
  b.send(call())
  b.close()
  b.terminate()
  await turn()
  await turn()
  expect(atB.log).toEqual([call(), { code: 4000, reason: 'bye' }])
  expect(atA.log).toEqual([{ code: 4000, reason: 'bye' }])
})

test('a link that is closed before it opens delivers earlier messages, then the end', async () => {
  const [a, b] = linked()
  a.send(call())
  a.close()
  await turn()
  const sink = new Sink()
  b.open(sink)
  await turn()
  expect(sink.log).toEqual([call(), { code: 1000, reason: '' }])
})

test('terminate closes this end at once, and the other after all earlier messages', async () => {
  const { a, atA, atB } = pair()
  a.send(call())
  a.terminate()
  expect(atA.log).toEqual([{ code: 1006, reason: '' }])
  await turn()
  expect(atB.log).toEqual([call(), { code: 1006, reason: '' }])
  expect(atA.log).toHaveLength(1)
})

test('a handler that throws does not affect later messages', async () => {
  const [a, b] = linked()
  const log: unknown[] = []
  const failures: unknown[] = []
  const caught = (error: unknown) => failures.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', caught)
  try {
    b.open({
      message(message) {
        log.push(message[1])
        throw new Error(`boom ${message[1]}`)
      },
      failed() {},
      closed: (info) => log.push(info),
    })
    a.send([CALL, 1, {}, 'a.b'])
    a.send([CALL, 2, {}, 'a.b'])
    a.close()
    await turn()
    await turn()
    await turn()
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  }
  expect(log).toEqual([1, 2, { code: 1000, reason: '' }])
  expect(failures).toMatchObject([{ message: 'boom 1' }, { message: 'boom 2' }])
})
