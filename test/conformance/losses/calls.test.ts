/** Calls and registrations, with the loss of each side after each message. */

import {
  CANCELED,
  type CancelMode,
  type Invocation,
  MAX_CONCURRENCY_REACHED,
  NO_AVAILABLE_CALLEE,
  NO_SUCH_PROCEDURE,
  passthru,
  REVOKED,
  TIMEOUT,
  UNAVAILABLE,
  WampError,
} from 'wampy-ts'
import { e2ee, Keyring, randomKey } from 'wampy-ts/e2ee'
import { gate } from '../../client/support.ts'
import type { Stage } from '../stage.ts'
import { type ExpectedOutcome, PUBLISHED, playAll, publish, story, three } from './lose.ts'

/** A procedure that waits until it is interrupted, or for a given time. */
function waiting(stage: Stage, time?: number) {
  const running = gate()
  const procedure = (_args: unknown, _kwargs: unknown, _details: unknown, { signal }: Invocation) => {
    running.open()
    const end = new Promise<string>((resolve) => {
      signal.addEventListener('abort', () => resolve('aborted'))
      if (time) void stage.sleep(time).then(() => resolve('done'))
    })
    return stage.record('procedure', end)
  }
  return { running: running.opened, procedure }
}

const canceling = (cancelMode: CancelMode, call: ExpectedOutcome, procedure: string) =>
  story({
    cast: { caller: {}, callee: {} },
    async play(stage, { caller, callee }) {
      const { running, procedure } = waiting(stage, cancelMode === 'skip' ? 50 : undefined)
      await stage.record('register', callee.register('a.b', procedure), callee)
      const controller = new AbortController()
      const { signal } = controller
      const call = stage.record('call', caller.call('a.b', [], {}, { cancelMode, signal }))
      await Promise.race([running, call])
      controller.abort()
      await call
    },
    whole: { register: ['done'], call, procedure: [procedure] },
    instead: { procedure: ['aborted'] },
  })

const keyring = new Keyring([{ uri: 'secret.', match: 'prefix', keys: [{ id: 'k', key: randomKey() }] }])
const sealed = { codecs: passthru(e2ee(keyring)) }

playAll({
  'a call': story({
    cast: { caller: {}, callee: {} },
    async play(stage, { caller, callee }) {
      const procedure = ([n]: readonly unknown[]) => (n as number) + 1
      const handle = await stage.record('register', callee.register('a.b', procedure), callee)
      await stage.record('call', caller.call('a.b', [1]))
      await stage.record('unregister', handle?.unregister())
      await stage.record('call of nobody', caller.call('a.b'))
    },
    whole: { register: ['done'], call: [2], unregister: ['done'], 'call of nobody': { error: NO_SUCH_PROCEDURE } },
  }),

  'results in parts': story({
    cast: { caller: {}, callee: {} },
    before: (stage, { callee }) => callee.register('a.b', () => three(stage, 'procedure')),
    async play(stage, { caller }) {
      const progress = caller.progress('a.b')
      await Promise.all([stage.loop('parts', progress), stage.record('result', progress.result)])
    },
    whole: { parts: [1, 2, 3], result: ['all'], procedure: ['left'] },
  }),

  'results in parts, abandoned by the caller': story({
    cast: { caller: {}, callee: {} },
    before: (stage, { callee }) => callee.register('a.b', () => three(stage, 'procedure')),
    async play(stage, { caller }) {
      const progress = caller.progress('a.b')
      void stage.record('result', progress.result)
      const loop = async () => {
        for await (const n of progress) if (n === 2) return n
        return undefined
      }
      await stage.record('loop', loop())
    },
    whole: { loop: [2], result: { error: CANCELED }, procedure: ['left'] },
  }),

  'a call in parts': story({
    cast: { caller: {}, callee: {} },
    async before(stage, { callee }) {
      const sum = async (input: AsyncIterable<number>) => {
        let all = 0
        for await (const n of input) all += n
        return all
      }
      await callee.register('a.b', (_args, _kwargs, _details, { input }) => stage.record('procedure', sum(input)))
    },
    play: (stage, { caller }) =>
      stage.record('call', caller.call('a.b', [], {}, { input: three(stage, 'input') })) as Promise<unknown>,
    whole: { call: [6], procedure: [6], input: ['left'] },
  }),

  'parts both ways': story({
    cast: { caller: {}, callee: {} },
    async before(stage, { callee }) {
      await callee.register('a.b', async function* (_args, _kwargs, _details, { input }) {
        const left = gate<string>()
        void stage.record('procedure', left.opened)
        try {
          for await (const n of input) yield (n as number) * 2
          return 'all'
        } finally {
          left.open('left')
        }
      })
    },
    async play(stage, { caller }) {
      const progress = caller.progress('a.b', [], {}, { input: three(stage, 'input') })
      await Promise.all([stage.loop('parts', progress), stage.record('result', progress.result)])
    },
    whole: { parts: [2, 4, 6], result: ['all'], procedure: ['left'], input: ['left'] },
  }),

  'a call in parts that is answered before its last part': story({
    cast: { caller: {}, callee: {} },
    async before(_stage, { callee }) {
      await callee.register('a.b', async (_args, _kwargs, _details, { input }) => {
        for await (const n of input) return n
        return undefined
      })
    },
    play: (stage, { caller }) => stage.record('call', caller.call('a.b', [], {}, { input: three(stage, 'input') })),
    whole: { call: [1], input: ['left'] },
  }),

  'a call that is skipped': canceling('skip', { error: CANCELED }, 'done'),

  'a call that is killed, whose caller waits for the answer': canceling('kill', ['aborted'], 'aborted'),

  'a call that is killed, whose caller does not wait': canceling('killnowait', { error: CANCELED }, 'aborted'),

  'a call that exceeds its timeout': story({
    cast: { caller: {}, callee: {} },
    before: (stage, { callee }) => callee.register('a.b', waiting(stage).procedure),
    play: (stage, { caller }) => stage.record('call', caller.call('a.b', [], {}, { timeout: 50 })),
    whole: { call: { error: TIMEOUT }, procedure: ['aborted'] },
  }),

  'a call that exceeds the timeout kept by its callee': story({
    cast: { caller: {}, callee: {} },
    before: (stage, { callee }) => callee.register('a.b', waiting(stage).procedure, { forward_timeout: true }),
    play: (stage, { caller }) => stage.record('call', caller.call('a.b', [], {}, { timeout: 50 })),
    whole: { call: { error: TIMEOUT }, procedure: ['aborted'] },
  }),

  'results in parts with a timeout for each': story({
    cast: { caller: {}, callee: {} },
    async before(stage, { callee }) {
      await callee.register('a.b', async function* (_args, _kwargs, _details, { signal }) {
        const stopped = new Promise<string>((resolve) => {
          signal.addEventListener('abort', () => resolve('aborted'))
        })
        void stage.record('procedure', stopped)
        yield 1
        await stage.sleep(40)
        yield 2
        await stopped
      })
    },
    async play(stage, { caller }) {
      const progress = caller.progress('a.b', [], {}, { timeout: 50 })
      await Promise.all([stage.loop('parts', progress), stage.record('result', progress.result)])
    },
    whole: { parts: { given: [1, 2], error: TIMEOUT }, result: { error: TIMEOUT }, procedure: ['aborted'] },
    errors: [TIMEOUT],
  }),

  'a call that its callee declines': story({
    cast: { caller: {}, one: {}, two: {} },
    async before(_stage, { one, two }) {
      const busy = () => {
        throw new WampError(UNAVAILABLE)
      }
      await one.register('a.b', busy, { invoke: 'roundrobin' })
      await two.register('a.b', ([n]) => n, { invoke: 'roundrobin' })
    },
    async play(stage, { caller }) {
      await stage.record('first', caller.call('a.b', [1]))
      await stage.record('second', caller.call('a.b', [2]))
    },
    whole: { first: [1], second: [2] },
    errors: [NO_AVAILABLE_CALLEE],
  }),

  'callees of a shared registration, one call each at a time': story({
    cast: { caller: {}, one: {}, two: {} },
    async before(stage, { one, two }) {
      for (const callee of [one, two]) {
        await callee.register('a.b', () => stage.sleep(10).then(() => 'ok'), { invoke: 'roundrobin', concurrency: 1 })
      }
    },
    async play(stage, { caller }) {
      await Promise.all([1, 2, 3].map((n) => stage.record(`call ${n}`, caller.call('a.b'))))
      await stage.record('again', caller.call('a.b'))
    },
    whole: {
      'call 1': ['ok'],
      'call 2': ['ok'],
      'call 3': { error: MAX_CONCURRENCY_REACHED },
      again: ['ok'],
    },
    instead: { 'call 3': ['ok'] },
    errors: [MAX_CONCURRENCY_REACHED],
  }),

  'queued calls': story({
    router: { callQueue: [{ uri: 'a.b', limit: 10 }] },
    cast: { caller: {}, callee: {} },
    before: (stage, { callee }) =>
      callee.register('a.b', ([n]) => stage.sleep(10).then(() => n), { invoke: 'roundrobin', concurrency: 1 }),
    play: (stage, { caller }) =>
      Promise.all([1, 2, 3].map((n) => stage.record(`call ${n}`, caller.call('a.b', [n])))).then(() => {}),
    whole: { 'call 1': [1], 'call 2': [2], 'call 3': [3] },
  }),

  'a procedure that another callee takes over by force': story({
    cast: { caller: {}, one: {}, two: {} },
    async before(_stage, { one }) {
      await one.register('a.b', () => 'one')
    },
    async play(stage, { caller, one, two }) {
      one.on('failed', (_handle, { uri }) => stage.note('revoked', uri))
      await stage.record('before', caller.call('a.b'))
      const taken = await stage.record(
        'take',
        two.register('a.b', () => 'two', { force_reregister: true }),
        two,
      )
      await stage.record('after', caller.call('a.b'))
      await stage.record('give back', taken?.unregister())
    },
    whole: { before: ['one'], take: ['done'], after: ['two'], 'give back': ['done'], revoked: [REVOKED] },
    instead: { after: ['one'] },
  }),

  'a pattern of procedures, with a disclosed caller': story({
    cast: { caller: {}, callee: {} },
    async play(stage, { caller, callee }) {
      const named = (_args: unknown, _kwargs: unknown, _details: unknown, it: Invocation) => [
        it.procedure,
        it.caller !== undefined,
      ]
      const handle = await stage.record(
        'register',
        callee.register('a..c', named, { match: 'wildcard', disclose_caller: true }),
        callee,
      )
      await stage.record('call', caller.call('a.b.c'))
      await stage.record('unregister', handle?.unregister())
    },
    whole: { register: ['done'], call: [['a.b.c', true]], unregister: ['done'] },
  }),

  'payloads that the router cannot read': story({
    cast: { caller: sealed, callee: sealed },
    async play(stage, { caller, callee }) {
      await stage.record(
        'register',
        callee.register('secret.b', () => three(stage, 'procedure')),
        callee,
      )
      await stage.record(
        'subscribe',
        callee.subscribe('secret.t', ([n]) => stage.note('heard', n)),
        callee,
      )
      const progress = caller.progress('secret.b')
      await Promise.all([stage.loop('parts', progress), stage.record('result', progress.result)])
      await stage.record('publish', publish(caller, 'secret.t', [1]))
    },
    whole: {
      register: ['done'],
      subscribe: ['done'],
      parts: [1, 2, 3],
      result: ['all'],
      procedure: ['left'],
      publish: [PUBLISHED],
      heard: [1],
    },
  }),
})
