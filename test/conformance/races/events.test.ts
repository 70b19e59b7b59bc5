/** Concurrent actions of publisher and subscriber, and actions on a session meanwhile. */

import { expect } from 'vitest'
import type { EventHandler, Events, PublishOptions, WampClient } from 'wampy-ts'
import type { Stage } from '../stage.ts'
import { aborting, outcome, race, runAll } from './order.ts'

const pubsub = { publisher: {}, subscriber: {} }

/** Two publications, in order, and the handlers that received each. */
function publishing(stage: Stage, publisher: WampClient, options: PublishOptions = {}) {
  return {
    moves: ['1', '2'].map((n) => () => publisher.publish('a.t', [n], {}, options)),
    handler:
      (what: string): EventHandler =>
      ([n]) =>
        stage.note(what, n),
    outcome: (what: string) => outcome(stage, what) || 'nothing',
  }
}

async function* args(events: Events) {
  for await (const { args } of events) yield args[0]
}

runAll({
  'unsubscribe against event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, publisher)
        const handle = await subscriber.subscribe('a.t', handler('heard'))
        const heard = () => stage.outcomes.get('heard')?.given.length ?? 0
        let before = 0
        const give = () => {
          before = heard()
          return stage.record('unsubscribe', handle.unsubscribe())
        }
        return {
          moves: { subscriber: [give], publisher: moves },
          end: () => {
            expect(heard(), 'heard after it was given up').toBe(before)
            return outcome('heard')
          },
        }
      },
    },
    'nothing',
    '1',
    '1 2',
  ),

  'one subscribes and another one unsubscribes, against event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, publisher)
        const handle = await subscriber.subscribe('a.t', handler('old'))
        return {
          moves: {
            subscriber: [
              () => stage.record('subscribe', subscriber.subscribe('a.t', handler('new'))),
              () => stage.record('unsubscribe', handle.unsubscribe()),
            ],
            publisher: moves,
          },
          end: () => `old: ${outcome('old')}, new: ${outcome('new')}`,
        }
      },
    },
    // Published before the router received the new SUBSCRIBE, and delivered after the end of the old one.
    'old: nothing, new: nothing',
    'old: nothing, new: 2',
    'old: 1, new: nothing',
    'old: nothing, new: 1 2',
    'old: 1, new: 2',
    'old: 1, new: 1 2',
    'old: 1 2, new: nothing',
    'old: 1 2, new: 2',
    'old: 1 2, new: 1 2',
  ),

  'unsubscribe and subscribe again, against event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, publisher)
        const handle = await subscriber.subscribe('a.', handler('old'), { match: 'prefix' })
        return {
          moves: {
            subscriber: [
              () => stage.record('unsubscribe', handle.unsubscribe()),
              () => stage.record('subscribe', subscriber.subscribe('a.', handler('new'), { match: 'prefix' })),
            ],
            publisher: moves,
          },
          end: () => `old: ${outcome('old')}, new: ${outcome('new')}`,
        }
      },
    },
    'old: nothing, new: nothing',
    'old: nothing, new: 2',
    'old: nothing, new: 1 2',
    'old: 1, new: nothing',
    'old: 1, new: 2',
    'old: 1 2, new: nothing',
  ),

  'a subscription with get_retained, against event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, publisher, { retain: true })
        const wanting = subscriber.subscribe.bind(subscriber, 'a.t', handler('heard'), { get_retained: true })
        return {
          moves: { subscriber: [() => stage.record('subscribe', wanting())], publisher: moves },
          end: () => outcome('heard'),
        }
      },
    },
    '1 2',
    '2',
  ),

  'a subscription that is ended, against its grant and event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, publisher)
        const { signal, abort } = aborting()
        const wish = () => stage.record('subscribe', subscriber.subscribe('a.t', handler('heard'), { signal }))
        return { moves: { subscriber: [wish, abort], publisher: moves.slice(1) }, end: () => outcome('heard') }
      },
    },
    'nothing',
    '2',
  ),

  'handles that are ended while they are restored, against their grants': race(
    {
      cast: { owner: { reconnect: () => 10 }, other: {} },
      async start(stage, { owner, other }) {
        const { moves, handler, outcome } = publishing(stage, other)
        const subscription = await owner.subscribe('a.t', handler('heard'))
        const registration = await owner.register('a.b', () => 'served')
        stage.lines.get('owner')?.break()
        return {
          moves: {
            owner: [
              () => stage.record('unregister', registration.unregister()),
              () => stage.record('unsubscribe', subscription.unsubscribe()),
            ],
            clock: [() => stage.pass(10)],
            other: moves.slice(1),
          },
          end: () => {
            expect([subscription.state, registration.state]).toEqual(['closed', 'closed'])
            return outcome('heard')
          },
        }
      },
    },
    'nothing',
    '2',
  ),

  'the end of a loop against event': race(
    {
      cast: pubsub,
      async start(stage, { publisher, subscriber }) {
        const { moves, outcome } = publishing(stage, publisher)
        const events = subscriber.events('a.t')
        void stage.loop('heard', args(events))
        await events.subscription
        return { moves: { subscriber: [() => events.return?.()], publisher: moves }, end: () => outcome('heard') }
      },
    },
    'nothing',
    '1',
    '1 2',
  ),

  'a revocation against unsubscribe and event': race(
    {
      cast: { admin: {}, subscriber: {} },
      async start(stage, { admin, subscriber }) {
        const { moves, handler, outcome } = publishing(stage, admin)
        const handle = await subscriber.subscribe('a.t', handler('heard'))
        const remove = ['wamp.subscription.remove_subscriber', [handle.id, subscriber.session.id]] as const
        return {
          moves: {
            subscriber: [() => stage.record('unsubscribe', handle.unsubscribe())],
            admin: [moves[0]!, () => admin.call(...remove).catch(() => {}), moves[1]!],
          },
          end: () => {
            expect(handle.state).toBe('closed')
            return outcome('heard')
          },
        }
      },
    },
    'nothing',
    '1',
  ),

  'a listed session, against its end': race(
    {
      cast: { publisher: {}, one: {}, two: {} },
      async start(stage, { publisher, one, two }) {
        const { handler, outcome } = publishing(stage, publisher)
        await one.subscribe('a.t', handler('one'))
        await two.subscribe('a.t', handler('two'))
        const eligible = [one.session.id]
        return {
          moves: {
            one: [() => stage.leave('one')],
            publisher: [() => publisher.publish('a.t', ['heard'], {}, { eligible })],
          },
          end: () => `${outcome('one')}, ${outcome('two')}`,
        }
      },
    },
    'heard, nothing',
    'nothing, nothing',
  ),

  'a testament against its flush, and the loss of its owner': race(
    {
      cast: { owner: {}, heir: {} },
      async start(stage, { owner, heir }) {
        await heir.subscribe('a.will', ([what]) => stage.note('heir', what))
        await owner.call('wamp.session.add_testament', ['a.will', ['inherits'], {}])
        return {
          moves: {
            owner: [() => stage.record('flush', owner.call('wamp.session.flush_testaments'))],
            network: [() => stage.lines.get('owner')?.break()],
          },
          end: () => outcome(stage, 'heir') || 'nothing',
        }
      },
    },
    'inherits',
    'nothing',
  ),
})
