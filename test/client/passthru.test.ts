/** Payload passthru mode on the client: encoded messages, decoded messages, and refusals. */

import { describe, expect, test } from 'vitest'
import { json, type PayloadCodec, type PayloadContext, packed, passthru, USAGE, WampClient, WampError } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { openWorld } from 'wampy-ts/testing'
import { failure, granting, joined, leavesNothing, uri, WELCOMED, welcoming } from './support.ts'

leavesNothing()

const FEATURES = { features: { payload_passthru_mode: true } }
const ANNOUNCED = [2, 4711, { roles: { broker: FEATURES, dealer: FEATURES } }] as const
const BYTES = new Uint8Array([1, 2, 255])
/** `BYTES` as JSON represents them. */
const TEXT = '\0AQL/'

/** A client with codecs, and the server side of its connection to a scripted router that announces the mode. */
async function plugged(codecs = passthru(), answer = granting) {
  const router = welcoming(answer, () => ANNOUNCED)
  const client = new WampClient({ router, codecs, reconnect: false })
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  await client.start()
  const peer = router.peers[0]!
  peer.received.length = 0
  return { client, peer, errors, [Symbol.asyncDispose]: () => client.stop() }
}

/** Turns of the event loop in which sent messages arrive. */
const turn = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Writes its context in front of the payload, and refuses a payload with another context. */
function telling(
  scheme = 'x_tell',
  more: Partial<PayloadCodec> = {},
): PayloadCodec & { readonly heard: PayloadContext[] } {
  const inner = packed(scheme, cbor)
  const heard: PayloadContext[] = []
  const head = ({ kind, uri, error = '' }: PayloadContext) => `${kind} ${uri} ${error}`
  return {
    ...inner,
    heard,
    encode: ({ args, kwargs }, context) => ({
      ...inner.encode({ args: [head(context), ...args], kwargs }, context),
      keyid: 'k1',
    }),
    decode: (bytes, keys, context) => {
      heard.push(context)
      const { args, kwargs } = inner.decode(bytes, keys, context)
      if (args[0] !== head(context)) throw new Error(`said as ${args[0]}, heard as ${head(context)}`)
      return { args: args.slice(1), kwargs }
    },
    ...more,
  }
}

const KEYS = { ppt_scheme: 'x_tell', ppt_serializer: 'cbor', ppt_keyid: 'k1' }

describe('the feature', () => {
  test('is announced for every role, only by clients with codecs', async () => {
    const router = welcoming()
    const client = new WampClient({ router, codecs: passthru(), reconnect: false })
    await client.start()
    const [hello] = router.peers[0]!.received as [[number, string, { roles: Record<string, { features: object }> }]]
    expect(Object.keys(hello[2].roles)).toEqual(['caller', 'callee', 'publisher', 'subscriber'])
    for (const role of Object.values(hello[2].roles)) expect(role.features).toMatchObject(FEATURES.features)
    await client.stop()
    const { peer } = await joined()
    expect(JSON.stringify(peer.received[0])).not.toContain('payload_passthru_mode')
  })

  test('is not used without codecs, because it was not announced', async () => {
    const { client, peer } = await joined()
    const options = { ppt_scheme: 'x_raw' }
    for (const sent of [client.call('a.b', [BYTES], {}, options), client.publish('a.b', [BYTES], {}, options)]) {
      expect(await failure(sent)).toMatchObject({ uri: USAGE, sent: false })
    }
    expect(peer.received).toHaveLength(1)
  })

  test('is not used with a router that did not announce it', async () => {
    const router = welcoming(undefined, () => WELCOMED)
    const codecs = passthru(telling('x_tell', { covers: (uri) => uri === 'a.covered' }))
    const client = new WampClient({ router, codecs, reconnect: false })
    await client.start()
    for (const sent of [
      client.call('a.b', [BYTES], {}, { ppt_scheme: 'x_raw' }),
      client.publish('a.b', [BYTES], {}, { ppt_scheme: 'x_raw' }),
      client.call('a.covered', [1]),
      client.publish('a.covered', [1], {}, { acknowledge: true }),
    ]) {
      expect(await failure(sent)).toMatchObject({ uri: 'wamp.error.feature_not_supported', sent: false })
    }
    expect(router.peers[0]?.received).toHaveLength(1)
    await client.stop()
  })
})

describe('without a codec', () => {
  test('one item of bytes is sent unchanged, with the given keys', async () => {
    await using it = await plugged()
    const keys = { ppt_scheme: 'x_raw', ppt_serializer: 'flatbuffers', ppt_cipher: 'rot13', ppt_keyid: 'k' }
    await it.client.publish('a.t', [BYTES], undefined, keys)
    const call = it.client.callRaw('a.p', [BYTES], {}, keys)
    await turn()
    expect(it.peer.received).toEqual([
      [16, 1, keys, 'a.t', [TEXT]],
      [48, 2, keys, 'a.p', [TEXT], {}],
    ])
    it.peer.send([50, 2, keys, [TEXT]])
    expect(await call).toEqual({ args: [BYTES], kwargs: {}, details: keys })
  })

  test('any payload except one item of bytes is refused before it is sent', async () => {
    await using it = await plugged()
    const options = { ppt_scheme: 'x_raw' }
    for (const [args, kwargs] of [[[]], [[BYTES, BYTES]], [['text']], [[BYTES], { a: 1 }]] as [unknown[], object?][]) {
      expect(await failure(it.client.call('a.p', args, kwargs as never, options))).toMatchObject({
        uri: USAGE,
        sent: false,
      })
      expect(await failure(it.client.publish('a.t', args, kwargs as never, options))).toEqual(uri(USAGE))
    }
    expect(it.peer.received).toEqual([])
  })

  test("native items use the session's serializer, as mqtt assumes", async () => {
    await using it = await plugged()
    await it.client.publish('a.t', [{ temperature: 21 }], undefined, { ppt_scheme: 'mqtt' })
    await it.client.publish('a.t', ['text'], undefined, { ppt_scheme: 'x_n', ppt_serializer: 'native' })
    await turn()
    expect(it.peer.received).toEqual([
      [16, 1, { ppt_scheme: 'mqtt' }, 'a.t', [{ temperature: 21 }]],
      [16, 2, { ppt_scheme: 'x_n', ppt_serializer: 'native' }, 'a.t', ['text']],
    ])
  })

  test('a scheme that WAMP does not allow is refused', async () => {
    await using it = await plugged()
    for (const ppt_scheme of ['', 'own', 'x_', 'wamp2', 5 as never]) {
      expect(await failure(it.client.call('a.p', [BYTES], {}, { ppt_scheme }))).toMatchObject({
        uri: USAGE,
        sent: false,
      })
    }
    expect(() => passthru(packed('own', cbor))).toThrow(expect.objectContaining({ uri: USAGE }) as never)
    expect(() => passthru(packed('mqtt'), packed('wamp', cbor), packed('x_own'))).not.toThrow()
  })

  test('an event delivers bytes, with the keys in its details', async () => {
    await using it = await plugged()
    const heard: unknown[] = []
    await it.client.subscribe('a.t', (...event) => heard.push(event))
    it.peer.send([36, 1001, 7, { ppt_scheme: 'x_raw', ppt_keyid: 'k' }, [TEXT]])
    await turn()
    const details = { ppt_scheme: 'x_raw', ppt_keyid: 'k', topic: 'a.t', publication: 7, subscription: 1001 }
    expect(heard).toEqual([[[BYTES], {}, details]])
  })

  test('a call is answered with invalid_argument, and the procedure does not run', async () => {
    await using it = await plugged()
    let ran = 0
    await it.client.register('a.p', () => ran++)
    it.peer.send([68, 1, 1001, { ppt_scheme: 'x_raw' }, [TEXT]])
    await turn()
    expect(it.peer.received.at(-1)).toEqual([
      8,
      68,
      1,
      {},
      'wamp.error.invalid_argument',
      ['payloads of the scheme "x_raw" are not understood here'],
    ])
    expect([ran, it.errors]).toEqual([0, [uri('wamp.error.invalid_argument')]])
    // The next one does not belong to that call.
    it.peer.send([68, 2, 1001, {}, [1]])
    await turn()
    expect(it.peer.received.at(-1)).toEqual([70, 2, {}, [0]])
  })

  test('a native codec passes the bytes of a call to the procedure, and its bytes back', async () => {
    await using it = await plugged(passthru(packed('x_raw')))
    await it.client.register('a.p', ([bytes], _kwargs, details) => {
      expect(details.ppt_scheme).toBe('x_raw')
      return (bytes as Uint8Array).slice().reverse()
    })
    it.peer.send([68, 1, 1001, { ppt_scheme: 'x_raw', ppt_serializer: 'native' }, [TEXT]])
    await turn()
    expect(it.peer.received.at(-1)).toEqual([70, 1, { ppt_scheme: 'x_raw', ppt_serializer: 'native' }, ['\0/wIB']])
  })
})

describe('a codec', () => {
  test('is chosen by ppt_scheme, and decodes the answer', async () => {
    const codec = packed('x_json', json)
    await using it = await plugged(passthru(telling(), codec))
    const call = it.client.callRaw('a.p', [1], { unit: 'cm' }, { ppt_scheme: 'x_json' })
    await turn()
    const bytes = new TextEncoder().encode('{"args":[1],"kwargs":{"unit":"cm"}}')
    const item = `\0${Buffer.from(bytes).toString('base64')}`
    const keys = { ppt_scheme: 'x_json', ppt_serializer: 'json' }
    expect(it.peer.received).toEqual([[48, 1, keys, 'a.p', [item]]])
    it.peer.send([50, 1, keys, [item]])
    expect(await call).toEqual({ args: [1], kwargs: { unit: 'cm' }, details: keys })
  })

  test('decodes the answer of a call that was sent unencoded', async () => {
    const codec = packed('x_mine', cbor)
    const { bytes } = codec.encode({ args: [42], kwargs: {} }, {
      kind: 'result',
      uri: 'a.b',
      error: undefined,
    } as never)
    const coded = { ppt_scheme: 'x_mine', ppt_serializer: 'cbor' }
    const text = `\0${btoa(String.fromCharCode(...(bytes as Uint8Array)))}`
    await using it = await plugged(passthru(codec), ([code, request], peer) => {
      if (code === 48) peer.send([50, request, coded, [text]])
    })
    expect(await it.client.call('a.b', [1])).toBe(42)
    expect(it.peer.received).toEqual([[48, 1, {}, 'a.b', [1]]])
  })

  test('is chosen by serializer and cipher if these are given', async () => {
    await using it = await plugged(passthru(packed('x_a', json), packed('x_a', cbor)))
    await it.client.publish('a.t', [1], {}, { ppt_scheme: 'x_a' })
    await it.client.publish('a.t', [1], {}, { ppt_scheme: 'x_a', ppt_serializer: 'cbor' })
    await turn()
    expect(it.peer.received.map((message) => message[2])).toEqual([
      { ppt_scheme: 'x_a', ppt_serializer: 'json' },
      { ppt_scheme: 'x_a', ppt_serializer: 'cbor' },
    ])
    expect(await failure(it.client.publish('a.t', [1], {}, { ppt_scheme: 'x_a', ppt_serializer: 'ubjson' }))).toEqual(
      uri(USAGE),
    )
  })

  test('is chosen by URI, both ways and for all kinds of messages; other URIs are sent unencoded', async () => {
    const covers = (uri: string) => uri.startsWith('a.secret')
    const [one, two] = [telling('x_tell', { covers }), telling('x_tell', { covers })]
    await using world = await openWorld({ link: 'wires' })
    const a = await world.client('a', { codecs: passthru(one) })
    const b = await world.client('b', { codecs: passthru(two) })
    const heard: unknown[] = []
    await b.register('a.secret.p', async (args, kwargs, details, invocation) => {
      invocation.progress(['half'])
      if (args[0] === 'fail') throw new WampError('a.error', ['no'], { why: 1 })
      return [args, kwargs, details.ppt_keyid]
    })
    await b.subscribe('a.secret.', (args, kwargs, { topic }) => heard.push([args, kwargs, topic]), { match: 'prefix' })
    const progress: unknown[] = []
    const onProgress = (args: readonly unknown[]) => progress.push(args)
    expect(await a.call('a.secret.p', [1], { b: 2 }, { onProgress })).toEqual([[1], { b: 2 }, 'k1'])
    expect(progress).toEqual([['half']])
    expect(await failure(a.call('a.secret.p', ['fail']))).toMatchObject({
      uri: 'a.error',
      args: ['no'],
      kwargs: { why: 1 },
      details: KEYS,
    })
    await a.publish('a.secret.t', [3], { c: 4 }, { acknowledge: true })
    await a.publish('a.open', [3], {}, { acknowledge: true })
    await turn()
    expect(heard).toEqual([[[3], { c: 4 }, 'a.secret.t']])
    const sent = [...world.log.sent('a'), ...world.log.sent('b')].filter(([code]) =>
      [8, 16, 48, 70].includes(code as number),
    )
    expect(
      sent.map((message) => [message[0], message.find((item) => (item as { ppt_scheme?: unknown })?.ppt_scheme)]),
    ).toEqual([
      [48, { ...KEYS, receive_progress: true }],
      [48, KEYS],
      [16, { ...KEYS, acknowledge: true }],
      [16, undefined],
      [70, { ...KEYS, progress: true }],
      [70, KEYS],
      [8, KEYS],
    ])
    expect(two.heard.map(({ kind, uri }) => [kind, uri])).toEqual([
      ['call', 'a.secret.p'],
      ['call', 'a.secret.p'],
      ['event', 'a.secret.t'],
    ])
    expect(one.heard.map(({ kind, error, call }) => [kind, error, call instanceof Uint8Array])).toEqual([
      ['progress', undefined, true],
      ['result', undefined, true],
      ['error', 'a.error', true],
    ])
  })

  test('decodes the parts of a call by the keys of its first part', async () => {
    const covers = () => true
    const [one, two] = [telling('x_tell', { covers }), telling('x_tell', { covers })]
    await using world = await openWorld({ link: 'wires' })
    const a = await world.client('a', { codecs: passthru(one) })
    const b = await world.client('b', { codecs: passthru(two) })
    await b.register('a.sum', async (_args, _kwargs, _details, invocation) => {
      let sum = 0
      for await (const n of invocation.input) sum += n as number
      return sum
    })
    expect(await a.call('a.sum', [], {}, { input: [1, 2, 3] })).toBe(6)
    expect(two.heard.map(({ kind }) => kind)).toEqual(['part', 'part', 'part', 'part', 'call'])
    expect(two.heard.map(({ call }) => call === undefined)).toEqual([true, false, false, false, false])
    expect(
      world.log
        .sent('a')
        .filter(([code]) => code === 48)
        .map((message) => message[2]),
    ).toEqual([{ ...KEYS, progress: true }, { progress: true }, { progress: true }, { progress: true }, {}])
  })

  test('works through the router between JSON, CBOR and MessagePack sessions', async () => {
    const { serve } = await import('wampy-ts/node')
    const { Router } = await import('wampy-ts/router')
    const served = await serve(new Router(), { port: 0 })
    const client = async (serializer: typeof json) => {
      const made = new WampClient({
        router: served.url,
        serializers: [serializer],
        codecs: passthru(packed('mqtt', cbor)),
      })
      await made.start()
      return made
    }
    const [a, b, c] = await Promise.all([client(json), client(cbor), client(msgpack)])
    await b!.register('a.echo', ([bytes, big]) => [bytes, big])
    for (const caller of [a!, b!, c!]) {
      expect(await caller.call('a.echo', [BYTES, 2n ** 60n], {}, { ppt_scheme: 'mqtt' })).toEqual([BYTES, 2n ** 60n])
    }
    await Promise.all([a, b, c].map((each) => each!.stop()))
    await served.close()
  })
})

describe('a payload that a codec cannot decode or encode', () => {
  test('of an event is dropped, counted and reported, and the next event arrives', async () => {
    await using it = await plugged(passthru(telling()))
    const heard: unknown[] = []
    await it.client.subscribe('a.t', (args) => heard.push(args))
    const item = packed('x_tell', cbor).encode({ args: ['event a.other '], kwargs: {} }, {} as never).bytes
    const good = packed('x_tell', cbor).encode({ args: ['event a.t ', 1], kwargs: {} }, {} as never).bytes
    const wire = (bytes: Uint8Array) => `\0${Buffer.from(bytes).toString('base64')}`
    const wrong: unknown[][] = [[[wire(item)]], [[TEXT]], [['text']], [[wire(good), 1]], [[wire(good)], { a: 1 }], []]
    for (const payload of wrong) it.peer.send([36, 1001, 7, KEYS, ...payload])
    it.peer.send([36, 1001, 8, KEYS, [wire(good)]])
    await turn()
    expect(heard).toEqual([[1]])
    expect(it.client.dropped.events).toBe(wrong.length)
    expect(it.errors).toEqual(wrong.map(() => uri('wampy.error.payload_unreadable')))
    expect(it.client.state).toBe('ready')
  })

  test('of a result, of progress or of an error rejects only that call', async () => {
    await using it = await plugged(passthru(telling()))
    const options = { ppt_scheme: 'x_tell' }
    const parts: unknown[] = []
    const calls = [
      it.client.call('a.p', [], {}, options),
      it.client.call('a.p', [], {}, options),
      it.client.call('a.p', [], {}, { ...options, onProgress: (args) => parts.push(args) }),
    ].map(failure)
    await turn()
    it.peer.send(
      [50, 1, KEYS, [TEXT]],
      [8, 48, 2, KEYS, 'a.error', [TEXT]],
      [50, 3, { ...KEYS, progress: true }, [TEXT]],
    )
    it.peer.send([50, 3, {}, ['late']])
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ uri: 'wampy.error.payload_unreadable', sent: true })
    await turn()
    expect([parts, it.client.dropped.answers]).toEqual([[], 1])
    expect(it.client.state).toBe('ready')
  })

  test('of progress cancels the call if the router announced call_canceling', async () => {
    const features = { payload_passthru_mode: true, call_canceling: true }
    const router = welcoming(granting, () => [2, 4711, { roles: { dealer: { features } } }])
    const client = new WampClient({ router, codecs: passthru(telling()), reconnect: false })
    await client.start()
    const call = client.call('a.p', [], {}, { ppt_scheme: 'x_tell', onProgress: () => {} })
    await turn()
    const peer = router.peers[0]!
    peer.send([50, 1, { ...KEYS, progress: true }, [TEXT]], [50, 1, { ...KEYS, progress: true }, [TEXT]])
    expect(await failure(call)).toEqual(uri('wampy.error.payload_unreadable'))
    peer.send([8, 48, 1, {}, 'wamp.error.canceled'])
    await turn()
    expect(peer.received.slice(2)).toEqual([[49, 1, { mode: 'killnowait' }]])
    expect([client.dropped.answers, client.state]).toEqual([2, 'ready'])
    await client.stop()
  })

  test('of a call is answered without the reason, which is reported locally', async () => {
    await using it = await plugged(passthru(telling()))
    await it.client.register('a.p', () => 'ran')
    it.peer.send([68, 1, 1001, KEYS, [TEXT]])
    // A call in parts: later parts do not count as another call.
    it.peer.send([68, 2, 1001, { ...KEYS, progress: true }, [TEXT]], [68, 2, 1001, { ...KEYS, progress: true }, [TEXT]])
    it.peer.send([68, 2, 1001, KEYS, [TEXT]], [68, 3, 1001, {}])
    await turn()
    expect(it.peer.received.slice(1)).toEqual([
      [8, 68, 1, {}, 'wamp.error.invalid_argument', ['the payload could not be read']],
      [8, 68, 2, {}, 'wamp.error.invalid_argument', ['the payload could not be read']],
      [70, 3, {}, ['ran']],
    ])
    expect(it.errors).toHaveLength(2)
  })

  test('of a later part ends the call', async () => {
    await using it = await plugged(passthru(telling()))
    let ended: unknown
    await it.client.register('a.p', async (_args, _kwargs, _details, invocation) => {
      try {
        for await (const _ of invocation.input);
      } catch (error) {
        ended = error
      }
      return 'never heard'
    })
    const first = packed('x_tell', cbor).encode({ args: ['part a.p '], kwargs: {} }, {} as never).bytes
    const details = { ...KEYS, progress: true }
    it.peer.send([68, 1, 1001, details, [`\0${Buffer.from(first).toString('base64')}`]], [68, 1, 1001, details, [TEXT]])
    it.peer.send([68, 1, 1001, KEYS, [TEXT]])
    await turn()
    expect(it.peer.received.slice(1)).toEqual([
      [8, 68, 1, {}, 'wamp.error.invalid_argument', ['the payload could not be read']],
    ])
    expect(ended).toEqual(uri('wamp.error.canceled'))
  })

  test('that a codec cannot produce rejects the operation, and nothing is sent', async () => {
    const covers = () => true
    await using it = await plugged(
      passthru({ ...telling('x_tell', { covers }), encode: () => ({ bytes: 'text' as never }) }),
    )
    expect(await failure(it.client.call('a.p'))).toEqual(uri(USAGE))
    await using other = await plugged(passthru(packed('x_c', cbor, covers)))
    expect(await failure(other.client.call('a.p', [1, { f: () => {} }]))).toMatchObject({
      uri: 'wamp.error.invalid_argument',
      message: 'args[1].f is a function, which cannot be sent',
    })
    expect(await failure(other.client.publish('a.p', [], { a: Symbol('s') }))).toMatchObject({
      message: 'kwargs.a is a symbol, which cannot be sent',
    })
    expect([it.peer.received, other.peer.received]).toEqual([[], []])
  })

  test('a result that cannot be encoded is an error for its caller, which is encoded too', async () => {
    const covers = () => true
    const client = { codecs: passthru(packed('x_c', cbor, covers)) }
    await using world = await openWorld({ link: 'wires' })
    const a = await world.client('a', client)
    const b = await world.client('b', client)
    b.on('error', () => {})
    await b.register('a.p', () => () => {})
    expect(await failure(a.call('a.p'))).toMatchObject({
      uri: 'wamp.error.invalid_argument',
      message: 'args[0] is a function, which cannot be sent',
      details: { ppt_scheme: 'x_c' },
    })
  })
})

describe('packed', () => {
  for (const serializer of [json, cbor, msgpack]) {
    test(`in ${serializer.name} is reversible, and other input is refused`, () => {
      const codec = packed('x_p', serializer)
      const values = { args: [1, 'two', BYTES, [null, { a: 2n ** 60n }]], kwargs: { b: -1.5 } }
      const { bytes } = codec.encode(values, {} as never)
      expect(codec.decode(bytes, {}, {} as never)).toEqual(values)
      for (let cut = 0; cut < bytes.length; cut++) {
        expect(() => codec.decode(bytes.slice(0, cut), {}, {} as never)).toThrow(WampError)
      }
      expect(() => codec.decode(new Uint8Array([...bytes, ...bytes]), {}, {} as never)).toThrow(
        /is not args and kwargs/,
      )
    })
  }

  test('accepts exactly the format of the specification', () => {
    const codec = packed('x_p', json)
    const read = (text: string) => codec.decode(new TextEncoder().encode(text), {}, {} as never)
    expect(read('{}')).toEqual({ args: [], kwargs: {} })
    expect(read('{"args":null,"kwargs":null}')).toEqual({ args: [], kwargs: {} })
    expect(read(' {"args":[1]} ')).toEqual({ args: [1], kwargs: {} })
    for (const text of ['', '1', '[]', 'null', '{"args":{}}', '{"kwargs":[]}', '{},{}', '{}],{"a":1}', '{}]],[[{}']) {
      expect(() => read(text), text).toThrow(
        expect.objectContaining({ uri: 'wampy.error.payload_unreadable' }) as never,
      )
    }
  })
})
