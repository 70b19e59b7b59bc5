/** Concurrent actions of caller and callee. */

import { describe, expect, test } from 'vitest'
import {
  CANCELED,
  type CancelMode,
  type ClientOptions,
  CONNECTION_LOST,
  MAX_CONCURRENCY_REACHED,
  NO_AVAILABLE_CALLEE,
  NO_SUCH_PROCEDURE,
  passthru,
  STOPPED,
  TIMEOUT,
  UNAVAILABLE,
  type WampClient,
  WampError,
} from 'wampy-ts'
import { e2ee, Keyring, randomKey } from 'wampy-ts/e2ee'
import { gate } from '../../client/support.ts'
import type { Stage } from '../stage.ts'
import { aborting, everyOrder, outcome, type Race, race, runAll } from './order.ts'

const keyring = new Keyring([{ uri: '', match: 'prefix', keys: [{ id: 'k', key: randomKey() }] }])
const SIDES: Record<string, ClientOptions> = { 'in the clear': {}, sealed: { codecs: passthru(e2ee(keyring)) } }

describe.each(Object.entries(SIDES))('cancel against result, %s', (_, options) => {
  const canceling = (cancelMode: CancelMode, obeys = false): Race<'caller' | 'callee'> => ({
    cast: { caller: options, callee: options },
    async start(stage, { caller, callee }) {
      const answer = gate<string>()
      let heard = 'not interrupted'
      await callee.register('a.b', (_args, _kwargs, _details, { signal }) => {
        signal.addEventListener('abort', () => {
          heard = 'interrupted'
          if (obeys) answer.fail(signal.reason)
        })
        return answer.opened
      })
      const { signal, abort } = aborting()
      void stage.record('call', caller.call('a.b', [], {}, { cancelMode, signal }))
      return {
        moves: { caller: [abort], callee: [() => answer.open('answered')] },
        end: () => `${outcome(stage, 'call')}, ${heard}`,
      }
    },
  })

  test.each([
    ['skip', false, [`${CANCELED}, not interrupted`, 'answered, not interrupted']],
    // A callee that had answered first gets no INTERRUPT.
    ['killnowait', false, [`${CANCELED}, not interrupted`, `${CANCELED}, interrupted`, 'answered, not interrupted']],
    ['kill', false, ['answered, not interrupted', 'answered, interrupted']],
    ['kill', true, [`${CANCELED}, interrupted`, 'answered, not interrupted']],
  ] as const)('%s, obeyed: %s', async (mode, obeys, outcomes) => {
    await everyOrder(canceling(mode, obeys), outcomes)
  })
})

const NOBODY = NO_SUCH_PROCEDURE
const both = { caller: {}, callee: {} }

/** Consecutive calls, recorded as one outcome. */
function calling(stage: Stage, caller: WampClient, count = 2) {
  const names = Array.from({ length: count }, (_, i) => `call ${i + 1}`)
  return {
    moves: names.map((name) => () => stage.record(name, caller.call('a.b'))),
    outcome: () => names.map((name) => outcome(stage, name)).join(', '),
  }
}

runAll({
  'leaving a loop against its parts and its end': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const steps = [gate(), gate()] as const
        await callee.register('a.b', async function* () {
          await steps[0].opened
          yield 'part'
          await steps[1].opened
          return 'all'
        })
        const progress = caller.progress('a.b')
        void stage.loop('parts', progress)
        void stage.record('result', progress.result)
        return {
          moves: { caller: [() => progress.return?.()], callee: steps.map((step) => () => step.open()) },
          end: () => `${outcome(stage, 'parts') || 'none'}, ${outcome(stage, 'result')}`,
        }
      },
    },
    `none, ${CANCELED}`,
    `part, ${CANCELED}`,
    'part, all',
  ),

  'parts of a call against an early answer, and a cancel': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const steps = [gate(), gate()] as const
        const answer = gate<string>()
        let invoked = 0
        await callee.register('a.b', () => {
          invoked++
          return answer.opened
        })
        async function* input() {
          for (const step of steps) {
            await step.opened
            yield 'part'
          }
        }
        const { signal, abort } = aborting()
        void stage.record('call', caller.call('a.b', [], {}, { input: input(), signal }))
        return {
          moves: {
            input: steps.map((step) => () => step.open()),
            callee: [() => answer.open('answered')],
            caller: [abort],
          },
          end: () => {
            expect(invoked, 'a late part is not a call of its own').toBe(1)
            return outcome(stage, 'call')
          },
        }
      },
    },
    'answered',
    CANCELED,
  ),

  'timeout against result': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const answer = gate<string>()
        await callee.register('a.b', () => answer.opened)
        void stage.record('call', caller.call('a.b', [], {}, { timeout: 50 }))
        return {
          moves: { callee: [() => answer.open('answered')], clock: [() => stage.pass(50)] },
          end: () => outcome(stage, 'call'),
        }
      },
    },
    'answered',
    TIMEOUT,
  ),

  'a callee that declines, against cancel and the loss of the other one': race(
    {
      cast: { caller: {}, one: {}, two: {} },
      async start(stage, { caller, one, two }) {
        const answer = gate<string>()
        await one.register('a.b', () => answer.opened, { invoke: 'roundrobin' })
        await two.register('a.b', () => 'answered', { invoke: 'roundrobin' })
        const { signal, abort } = aborting()
        void stage.record('call', caller.call('a.b', [], {}, { signal }))
        return {
          moves: {
            one: [() => answer.fail(new WampError(UNAVAILABLE))],
            caller: [abort],
            two: [() => stage.lines.get('two')?.break()],
          },
          end: () => outcome(stage, 'call'),
        }
      },
    },
    'answered',
    CANCELED,
    NO_AVAILABLE_CALLEE,
  ),

  'a call beyond the concurrency, against the answer that makes room': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const answer = gate<string>()
        await callee.register('a.b', () => answer.opened, { invoke: 'roundrobin', concurrency: 1 })
        void stage.record('call 0', caller.call('a.b'))
        const { moves, outcome } = calling(stage, caller, 1)
        return { moves: { caller: moves, callee: [() => answer.open('served')] }, end: outcome }
      },
    },
    'served',
    MAX_CONCURRENCY_REACHED,
  ),

  'unregister against call': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const handle = await callee.register('a.b', () => 'served')
        const { moves, outcome } = calling(stage, caller)
        return {
          moves: { callee: [() => stage.record('unregister', handle.unregister())], caller: moves },
          end: outcome,
        }
      },
    },
    'served, served',
    `served, ${NOBODY}`,
    `${NOBODY}, ${NOBODY}`,
  ),

  'unregister and register again, against call': race(
    {
      cast: both,
      async start(stage, { caller, callee }) {
        const handle = await callee.register('a..', () => 'old', { match: 'wildcard' })
        const { moves, outcome } = calling(stage, caller, 1)
        return {
          moves: {
            callee: [
              () => stage.record('unregister', handle.unregister()),
              () =>
                stage.record(
                  'register',
                  callee.register('a..', () => 'new', { match: 'wildcard' }),
                ),
            ],
            caller: moves.map(() => () => stage.record('call 1', caller.call('a.b.c'))),
          },
          end: outcome,
        }
      },
    },
    'old',
    'new',
    NOBODY,
  ),

  'one of two callees unregisters, against call: it is always answered': race(
    {
      cast: { caller: {}, one: {}, two: {} },
      async start(stage, { caller, one, two }) {
        const [handle] = await Promise.all(
          [one, two].map((callee) => callee.register('a.b', () => 'served', { invoke: 'roundrobin' })),
        )
        const { moves, outcome } = calling(stage, caller)
        return { moves: { one: [() => stage.record('unregister', handle?.unregister())], caller: moves }, end: outcome }
      },
    },
    'served, served',
  ),

  'a takeover by force against unregister and call': race(
    {
      cast: { caller: {}, one: {}, two: {} },
      async start(stage, { caller, one, two }) {
        const handle = await one.register('a.b', () => 'one')
        const { moves, outcome } = calling(stage, caller, 1)
        return {
          moves: {
            one: [() => stage.record('unregister', handle.unregister())],
            two: [
              () =>
                stage.record(
                  'take',
                  two.register('a.b', () => 'two', { force_reregister: true }),
                ),
            ],
            caller: moves,
          },
          end: outcome,
        }
      },
    },
    'one',
    'two',
    NOBODY,
  ),

  'a revocation against unregister and call': race(
    {
      cast: { admin: {}, callee: {}, caller: {} },
      async start(stage, { admin, callee, caller }) {
        const handle = await callee.register('a.b', () => 'served')
        const args = [handle.id, callee.session.id]
        const { moves, outcome } = calling(stage, caller, 1)
        return {
          moves: {
            callee: [() => stage.record('unregister', handle.unregister())],
            admin: [() => admin.call('wamp.registration.remove_callee', args).catch(() => {})],
            caller: moves,
          },
          end: () => {
            expect(handle.state).toBe('closed')
            return outcome()
          },
        }
      },
    },
    NOBODY,
    'served',
  ),

  'a kill against stop, and a pending call': race(
    {
      cast: { admin: {}, one: {}, callee: {} },
      async start(stage, { admin, one, callee }) {
        const answer = gate<string>()
        await callee.register('a.b', () => answer.opened)
        const { id } = one.session
        void stage.record('call', one.call('a.b'))
        return {
          moves: {
            admin: [() => admin.call('wamp.session.kill', [id]).catch(() => {})],
            one: [() => stage.leave('one')],
            callee: [() => answer.open('answered')],
          },
          end: () => {
            expect(one.state).toBe('stopped')
            return outcome(stage, 'call')
          },
        }
      },
    },
    'answered',
    CONNECTION_LOST,
    STOPPED,
  ),

  'a queued call, against its cancel and the loss of the callee': race(
    {
      router: { callQueue: [{ uri: 'a.b', limit: 10 }] },
      cast: both,
      async start(stage, { caller, callee }) {
        const answer = gate<string>()
        await callee.register('a.b', () => answer.opened, { invoke: 'roundrobin', concurrency: 1 })
        void stage.record('call 0', caller.call('a.b'))
        const { signal, abort } = aborting()
        void stage.record('call', caller.call('a.b', [], {}, { signal }))
        return {
          moves: {
            caller: [abort],
            callee: [() => answer.open('served')],
            network: [() => stage.lines.get('callee')?.break()],
          },
          end: () => outcome(stage, 'call'),
        }
      },
    },
    'served',
    CANCELED,
    NOBODY,
  ),
})
