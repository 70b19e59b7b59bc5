/** End-to-end encryption between clients: through our router, and through one that manipulates messages. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, json, passthru, WampClient, WampError } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { e2ee, type KeyRule, Keyring } from 'wampy-ts/e2ee'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { CALL, ERROR, EVENT, INVOCATION, openWorld, PUBLISH, RESULT, type World, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { failure, leavesNothing, uri } from '../client/support.ts'
import { keyOf, type Meddle, meddling, turn } from './support.ts'

leavesNothing()

const UNREADABLE = 'wampy.error.payload_unreadable'
const K1 = { id: 'k1', key: keyOf(1) }
const K2 = { id: 'k2', key: keyOf(2) }
const SECRET: KeyRule = { uri: 'a.secret.', match: 'prefix', keys: [K1] }

const codecs = (...rules: KeyRule[]) => passthru(e2ee(new Keyring(rules)))

/** A client with keys; all messages between it and the router go through `meddle`. */
async function keyed(world: World, name: string, rules: KeyRule[] = [SECRET], meddle: Meddle = (message) => [message]) {
  const router = meddling(world.connector(name), meddle)
  const client = new WampClient({ name, router, codecs: codecs(...rules), reconnect: false })
  onTestFinished(() => client.stop())
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  await client.start()
  return { client, errors }
}

/** The message with other elements at some places; the payload is at the end. */
const changed = (message: Message, at: Record<number, unknown>): Message =>
  Object.assign([...message], at) as unknown as Message

const bytesIn = (message: Message): Uint8Array => (message[message.length - 1] as { args: [Uint8Array] }).args[0]

const carrying = (...args: unknown[]) => ({ args, kwargs: undefined })

describe('through the router', () => {
  test('calls, progress, errors and events of JSON and CBOR sessions', async () => {
    const served = await serve(new Router(), { port: 0 })
    onTestFinished(() => served.close())
    const client = async (name: string, options: ClientOptions) => {
      const made = new WampClient({ router: served.url, codecs: codecs(SECRET), name, ...options })
      onTestFinished(() => made.stop())
      await made.start()
      return made
    }
    const a = await client('a', { serializers: [json] })
    const b = await client('b', { serializers: [cbor] })
    const heard: unknown[] = []
    for (const each of [a, b]) {
      await each.subscribe('a.secret.t', (args, kwargs, { ppt_scheme, ppt_cipher, ppt_keyid }) =>
        heard.push([args, kwargs, ppt_scheme, ppt_cipher, ppt_keyid]),
      )
    }
    const echo =
      (name: string) =>
      async (
        args: readonly unknown[],
        kwargs: object,
        _: object,
        invocation: { progress(args: unknown[]): boolean },
      ) => {
        invocation.progress([`hunter2 of ${name}`])
        if (args[0] === 'fail') throw new WampError('a.error', ['hunter2'], { why: args[1] })
        return [args, kwargs]
      }
    await a.register('a.secret.at_a', echo('a') as never)
    await b.register('a.secret.at_b', echo('b') as never)
    const values = ['hunter2', new Uint8Array([0, 255]), 2n ** 63n, null, { deep: [1.5] }]
    for (const [caller, procedure] of [
      [a, 'a.secret.at_b'],
      [b, 'a.secret.at_a'],
    ] as const) {
      const parts: unknown[] = []
      const onProgress = (args: readonly unknown[]) => parts.push(args[0])
      expect(await caller.call(procedure, values, { k: 1 }, { onProgress })).toEqual([values, { k: 1 }])
      expect(parts).toEqual([`hunter2 of ${procedure.at(-1)}`])
      expect(await failure(caller.call(procedure, ['fail', 2]))).toMatchObject({
        uri: 'a.error',
        args: ['hunter2'],
        kwargs: { why: 2 },
      })
    }
    await a.publish('a.secret.t', ['hunter2'], { k: 1 }, { acknowledge: true })
    await b.publish('a.secret.t', ['hunter2'], { k: 2 }, { acknowledge: true })
    await turn()
    const keys = ['x_wampy_e2ee', 'xchacha20poly1305', 'k1']
    expect(heard).toEqual([
      [['hunter2'], { k: 1 }, ...keys],
      [['hunter2'], { k: 2 }, ...keys],
    ])
  })

  test('no payload appears in plain text in any message', async () => {
    await using world = await openWorld({ link: 'wires' })
    const { client: a } = await keyed(world, 'a')
    const { client: b } = await keyed(world, 'b')
    await b.register('a.secret.p', ([first]) => {
      if (first === 'fail') throw new WampError('a.error', ['hunter2'])
      return 'hunter2'
    })
    await a.call('a.secret.p', ['hunter2'], { hunter2: 1 })
    await failure(a.call('a.secret.p', ['fail']))
    await a.publish('a.secret.t', ['hunter2'], { hunter2: 1 }, { acknowledge: true })
    const wire = [CALL, PUBLISH, YIELD, ERROR, RESULT, INVOCATION].flatMap((code) =>
      world.log.entries.filter(({ message }) => message[0] === code).map(({ message }) => message),
    )
    expect(wire.length).toBeGreaterThan(8)
    for (const message of wire) {
      expect(message.at(-1)).toEqual([expect.any(Uint8Array)])
      expect(Buffer.from((message.at(-1) as [Uint8Array])[0]).toString('latin1')).not.toContain('hunter2')
      expect(JSON.stringify(message)).not.toContain('hunter2')
    }
    await Promise.all([a.stop(), b.stop()])
  })

  test('payloads that no rule covers are sent unencrypted, and so are payloads for the router', async () => {
    await using world = await openWorld({ link: 'wires' })
    const everything: KeyRule = { uri: '', match: 'prefix', keys: [K1] }
    const { client } = await keyed(world, 'a', [everything])
    expect(await client.call('wamp.session.count')).toBeGreaterThan(0)
    expect(await failure(client.call('a.nobody'))).toEqual(uri('wamp.error.no_such_procedure'))
    const { client: other } = await keyed(world, 'b')
    await other.publish('a.open', [1], {}, { acknowledge: true })
    expect(world.log.sent('b').at(-1)).toEqual([PUBLISH, 1, { acknowledge: true }, 'a.open', [1], {}])
    await Promise.all([client.stop(), other.stop()])
  })

  test('a covered payload is never sent by another scheme', async () => {
    await using world = await openWorld({ link: 'wires' })
    const { client } = await keyed(world, 'a')
    const options = { ppt_scheme: 'x_other' }
    expect(await failure(client.publish('a.secret.t', [new Uint8Array(1)], undefined, options))).toMatchObject({
      uri: 'wampy.error.usage',
      sent: false,
    })
    // An uncovered URI has no key.
    expect(await failure(client.call('a.open', [1], {}, { ppt_scheme: 'x_wampy_e2ee' }))).toMatchObject({
      uri: 'wampy.error.usage',
      message: 'the keyring has no key for a.open',
    })
    await client.stop()
  })

  test('after a loss it continues, with a key that was added meanwhile', async () => {
    await using world = await openWorld({ link: 'wires' })
    const ring = new Keyring([SECRET])
    const links: { terminate(): void }[] = []
    const connector = world.connector('b')
    const router = {
      name: 'b',
      connect: async (...given: Parameters<typeof connector.connect>) => {
        const link = await connector.connect(...given)
        links.push(link)
        return link
      },
    }
    const b = new WampClient({ router, codecs: passthru(e2ee(ring)), reconnect: { initial: 5 } })
    onTestFinished(() => b.stop())
    await b.start()
    const heard: unknown[] = []
    await b.subscribe('a.secret.t', ([first], _kwargs, { ppt_keyid }) => heard.push([first, ppt_keyid]))
    await b.register('a.secret.p', ([n]) => n)
    const { client: old } = await keyed(world, 'old')
    const { client: fresh } = await keyed(world, 'fresh', [{ ...SECRET, keys: [K2, K1] }])
    await old.publish('a.secret.t', [1], {}, { acknowledge: true })
    await turn()
    const ready = new Promise((resolve) => b.once('ready', resolve))
    links[0]?.terminate()
    ring.set({ ...SECRET, keys: [K2, K1] })
    await ready
    await old.publish('a.secret.t', [2], {}, { acknowledge: true })
    await fresh.publish('a.secret.t', [3], {}, { acknowledge: true })
    expect(await fresh.call('a.secret.p', [4])).toBe(4)
    // The answer uses the newest key, which not every peer has.
    expect(await failure(old.call('a.secret.p', [5]))).toMatchObject({
      uri: UNREADABLE,
      message: 'the keyring has no key "k2" for a.secret.p',
    })
    await turn()
    expect(heard).toEqual([
      [1, 'k1'],
      [2, 'k1'],
      [3, 'k2'],
    ])
    await Promise.all([b.stop(), old.stop(), fresh.stop()])
  })

  test('a key that changes during a call is not used for the later parts of the call', async () => {
    await using world = await openWorld({ link: 'wires' })
    const ring = new Keyring([SECRET])
    const caller = new WampClient({ router: world.connector('caller'), codecs: passthru(e2ee(ring)), reconnect: false })
    onTestFinished(() => caller.stop())
    await caller.start()
    const { client: callee } = await keyed(world, 'callee', [{ ...SECRET, keys: [K1, K2] }])
    await callee.register('a.secret.sum', async (_args, _kwargs, _details, invocation) => {
      let sum = 0
      for await (const n of invocation.input) sum += n as number
      return sum
    })
    async function* input() {
      yield 1
      ring.set({ ...SECRET, keys: [K2, K1] })
      yield 2
    }
    expect(await caller.call('a.secret.sum', [], {}, { input: input() })).toBe(3)
    await Promise.all([caller.stop(), callee.stop()])
  })
})

describe('a router that tampers with events', () => {
  /** The results at a subscriber of an event that came through `meddle`: delivered, reported or counted. */
  async function event(meddle: Meddle, topic = 'a.secret.t', options = {}, rules = [SECRET]) {
    await using world = await openWorld({ link: 'wires' })
    const { client: a } = await keyed(world, 'a')
    const { client: b, errors } = await keyed(world, 'b', rules, meddle)
    const heard: unknown[] = []
    await b.subscribe(topic, (args, _kwargs, details) => heard.push([args, details.topic]), options)
    await a.publish('a.secret.t', ['one'], {}, { acknowledge: true })
    await turn()
    expect(b.state).toBe('ready')
    const { events } = b.dropped
    await Promise.all([a.stop(), b.stop()])
    return { heard, errors, dropped: events }
  }

  const onEvent =
    (change: (message: Message) => readonly Message[]): Meddle =>
    (message) =>
      message[0] === EVENT ? change(message) : [message]

  const nothing = { heard: [], errors: [uri(UNREADABLE)], dropped: 1 }

  test('that passes them on delivers them', async () => {
    expect(await event(onEvent((message) => [message]))).toEqual({
      heard: [[['one'], 'a.secret.t']],
      errors: [],
      dropped: 0,
    })
  })

  test('cannot change the payload', async () => {
    const flip = onEvent((message) => {
      const bytes = bytesIn(message).slice()
      bytes[30] = (bytes[30] as number) ^ 1
      return [changed(message, { 4: carrying(bytes) })]
    })
    expect(await event(flip)).toEqual(nothing)
  })

  test('cannot send an event unencrypted, or by another scheme', async () => {
    expect(await event(onEvent((message) => [changed(message, { 3: {}, 4: carrying('forged') })]))).toEqual(nothing)
    const details = { ppt_scheme: 'x_other' }
    expect(await event(onEvent((message) => [changed(message, { 3: details })]))).toEqual(nothing)
  })

  test('cannot pretend that an event was for another topic', async () => {
    const relabel = (topic: string) =>
      onEvent((message) => [changed(message, { 3: { ...(message[3] as object), topic } })])
    expect(await event(relabel('a.secret.other'))).toEqual(nothing)
    expect(await event(relabel('a.secret.other'), 'a.secret.', { match: 'prefix' })).toEqual(nothing)
    // Nor for a topic without a key, which does not match the subscription.
    const clear = (topic: string) => onEvent((message) => [changed(message, { 3: { topic }, 4: carrying('forged') })])
    expect(await event(clear('a.open'))).toEqual(nothing)
    expect(await event(clear('a.open'), 'a.secret.', { match: 'prefix' })).toEqual(nothing)
    expect(await event(clear('a.open.t'), 'a.secret.', { match: 'wildcard' })).toEqual(nothing)
  })

  test('cannot deliver the event of one topic on another', async () => {
    await using world = await openWorld({ link: 'wires' })
    const { client: a } = await keyed(world, 'a')
    const ids: unknown[] = []
    const swap = onEvent((message) => [changed(message, { 1: ids.find((id) => id !== message[1]) })])
    const { client: b, errors } = await keyed(world, 'b', [SECRET], swap)
    const heard: unknown[] = []
    for (const topic of ['a.secret.buy', 'a.secret.sell']) {
      ids.push((await b.subscribe(topic, (args) => heard.push(args))).id)
    }
    await a.publish('a.secret.buy', [100], {}, { acknowledge: true })
    await turn()
    expect([heard, errors, b.dropped.events]).toEqual([[], [uri(UNREADABLE)], 1])
    await Promise.all([a.stop(), b.stop()])
  })

  test('a subscriber without the key receives nothing either', async () => {
    const told = (text: string) => ({
      ...nothing,
      errors: [expect.objectContaining({ uri: UNREADABLE, message: text })],
    })
    const pass = onEvent((message) => [message])
    expect(await event(pass, 'a.secret.t', {}, [{ ...SECRET, keys: [K2] }])).toEqual(
      told('the keyring has no key "k1" for a.secret.t'),
    )
    expect(await event(pass, 'a.secret.t', {}, [{ ...SECRET, keys: [{ id: 'k1', key: keyOf(9) }] }])).toEqual(
      told('the event for a.secret.t was not encrypted as such by key "k1"'),
    )
  })
})

describe('a router that tampers with calls', () => {
  /** A caller and a callee of `a.secret.p` and `a.secret.q`, with a manipulated connection between each of them and the router. */
  async function both(atCaller: Meddle, atCallee: Meddle = (message) => [message]) {
    const world = await openWorld({ link: 'wires' })
    const { client: caller } = await keyed(world, 'caller', [SECRET], atCaller)
    const { client: callee, errors } = await keyed(world, 'callee', [SECRET], atCallee)
    const ran: unknown[] = []
    for (const name of ['p', 'q']) {
      await callee.register(`a.secret.${name}`, ([first]) => {
        ran.push(first)
        if (first === 'fail') throw new WampError('a.error')
        return `${name} ${first}`
      })
    }
    onTestFinished(async () => {
      await Promise.all([caller.stop(), callee.stop()])
      await world[Symbol.asyncDispose]()
    })
    return { caller, callee, ran, errors }
  }

  const on =
    (code: number, change: (message: Message) => readonly Message[]): Meddle =>
    (message, way) =>
      message[0] === code && way === 'in' ? change(message) : [message]

  test('cannot change an answer, or send one unencrypted', async () => {
    for (const change of [
      (message: Message) => [changed(message, { 3: carrying(bytesIn(message).slice().fill(0, 30)) })],
      (message: Message) => [changed(message, { 2: {}, 3: carrying('forged') })],
      (message: Message) => [changed(message, { 2: {} })],
      (message: Message) => [[ERROR, CALL, message[1], {}, 'a.error', carrying('forged')] as Message],
      (message: Message) => [
        [ERROR, CALL, message[1], message[2], 'a.error', carrying(bytesIn(message))] as unknown as Message,
      ],
      (message: Message) => [changed(message, { 2: { ...(message[2] as object), progress: true } }), message],
    ]) {
      const { caller } = await both(on(RESULT, change))
      expect(await failure(caller.call('a.secret.p', [1], {}, { onProgress: () => {} }))).toMatchObject({
        uri: UNREADABLE,
        sent: true,
      })
    }
  })

  test('cannot make another error of an error', async () => {
    const { caller } = await both(on(ERROR, (message) => [changed(message, { 4: 'a.other' })]))
    expect(await failure(caller.call('a.secret.p', ['fail']))).toEqual(uri(UNREADABLE))
  })

  test('can claim that there is no callee', async () => {
    const { caller } = await both((message) => [message])
    expect(await failure(caller.call('a.secret.nobody'))).toEqual(uri('wamp.error.no_such_procedure'))
  })

  test('cannot answer a call with the answer to another', async () => {
    const answers: Message[] = []
    const swap = on(RESULT, (message) => {
      answers.push(message)
      const [one, two] = answers
      if (!one || !two) return []
      return [changed(one, { 1: two[1] }), changed(two, { 1: one[1] })]
    })
    const { caller } = await both(swap)
    const calls = [caller.call('a.secret.p', ['one']), caller.call('a.secret.p', ['two'])]
    for (const error of await Promise.all(calls.map(failure))) expect(error).toEqual(uri(UNREADABLE))
  })

  test('cannot deliver a call to another procedure, or make a call from an event', async () => {
    let sealed: Uint8Array | undefined
    const { caller, ran, errors } = await both((message, way) => {
      if (message[0] === PUBLISH && way === 'out') sealed = bytesIn(message)
      // The same bytes, for another procedure, and those of the event as a call.
      if (message[0] !== CALL) return [message]
      return [changed(message, message[3] === 'a.secret.p' ? { 3: 'a.secret.q' } : { 4: carrying(sealed) })]
    })
    await caller.publish('a.secret.q', ['as an event'])
    for (const procedure of ['a.secret.p', 'a.secret.q']) {
      expect(await failure(caller.call(procedure, ['one']))).toMatchObject({
        uri: 'wamp.error.invalid_argument',
        args: ['the payload could not be read'],
      })
    }
    expect([ran, errors]).toEqual([[], [uri(UNREADABLE), uri(UNREADABLE)]])
  })

  test('cannot call unencrypted, under any procedure', async () => {
    for (const details of [{}, { procedure: 'a.open' }, { ppt_scheme: 'x_other' }]) {
      const clear = on(INVOCATION, (message) => [changed(message, { 3: details, 4: carrying('forged') })])
      const { caller, ran, errors } = await both((message) => [message], clear)
      expect(await failure(caller.call('a.secret.p', ['one']))).toEqual(uri('wamp.error.invalid_argument'))
      expect([ran, errors]).toEqual([[], [uri(UNREADABLE)]])
    }
  })

  test('cannot end the input of a call before its end', async () => {
    const world = await openWorld({ link: 'wires' })
    let parts = 0
    const cut: Meddle = (message, way) => {
      if (message[0] !== INVOCATION || way !== 'in' || ++parts < 3) return [message]
      return parts === 3 ? [changed(message, { 3: { ...(message[3] as object), progress: undefined } })] : []
    }
    const { client: caller } = await keyed(world, 'caller')
    const { client: callee, errors } = await keyed(world, 'callee', [SECRET], cut)
    onTestFinished(async () => {
      await Promise.all([caller.stop(), callee.stop()])
      await world[Symbol.asyncDispose]()
    })
    let summed: unknown
    await callee.register('a.secret.sum', async (_args, _kwargs, _details, invocation) => {
      let sum = 0
      for await (const n of invocation.input) sum += n as number
      summed = sum
      return sum
    })
    expect(await failure(caller.call('a.secret.sum', [], {}, { input: [1, 2, 3] }))).toEqual(
      uri('wamp.error.invalid_argument'),
    )
    expect([summed, errors]).toEqual([undefined, [uri(UNREADABLE)]])
  })
})
