/** Publications and subscriptions, with the loss of each side after each message. */

import type { EventHandler } from 'wampy-ts'
import { ANSWERED, fence, PUBLISHED, playAll, publish, story } from './lose.ts'

playAll({
  'events with an audience': story({
    cast: { publisher: {}, subscriber: {}, other: {} },
    async play(stage, { publisher, subscriber, other }) {
      const id = subscriber.state === 'ready' ? subscriber.session.id : 1
      const heard: EventHandler = ([n], _kwargs, { publisher }) => stage.note('heard', publisher ? `${n} by name` : n)
      const handle = await stage.record('subscribe', subscriber.subscribe('a', heard, { match: 'prefix' }), subscriber)
      await stage.record(
        'other',
        other.subscribe('a.t', ([n]) => stage.note('heard by others', n)),
        other,
      )
      await stage.record('one', publish(publisher, 'a.t', [1], { eligible: id }))
      await stage.record('two', publish(publisher, 'a.t', [2], { disclose_me: true }))
      await stage.record('fence', fence(subscriber))
      await stage.record('unsubscribe', handle?.unsubscribe())
      await stage.record('three', publish(publisher, 'a.t', [3]))
    },
    whole: {
      subscribe: ['done'],
      other: ['done'],
      one: [PUBLISHED],
      two: [PUBLISHED],
      three: [PUBLISHED],
      fence: [ANSWERED],
      unsubscribe: ['done'],
      heard: [1, '2 by name'],
      'heard by others': [2, 3],
    },
  }),

  'events in a loop': story({
    cast: { publisher: {}, subscriber: {} },
    async play(stage, { publisher, subscriber }) {
      const events = subscriber.events('a.t')
      const loop = async function* () {
        for await (const { args } of events) {
          yield args[0]
          if (args[0] === 2) return
        }
      }
      void stage.loop('loop', loop(), { loose: true, by: subscriber })
      await stage.record('granted', events.subscription, subscriber)
      for (const n of [1, 2, 3]) await stage.record(`publish ${n}`, publish(publisher, 'a.t', [n]))
      // Events that have not arrived before this answer do not arrive.
      await stage.record('fence', fence(subscriber))
      await events.return?.()
    },
    whole: {
      loop: [1, 2],
      granted: ['done'],
      'publish 1': [PUBLISHED],
      'publish 2': [PUBLISHED],
      'publish 3': [PUBLISHED],
      fence: [ANSWERED],
    },
  }),

  'a retained event': story({
    cast: { publisher: {}, subscriber: {} },
    async play(stage, { publisher, subscriber }) {
      await stage.record('publish 1', publish(publisher, 'a.t', [1], { retain: true }))
      const heard = (args: readonly unknown[], _kwargs: unknown, { retained }: { retained?: boolean }) =>
        stage.note('heard', [args[0], retained === true])
      await stage.record('subscribe', subscriber.subscribe('a.t', heard, { get_retained: true }), subscriber)
      await stage.record('publish 2', publish(publisher, 'a.t', [2], { retain: true }))
      await stage.record('fence', fence(subscriber))
    },
    whole: {
      'publish 1': [PUBLISHED],
      'publish 2': [PUBLISHED],
      fence: [ANSWERED],
      subscribe: ['done'],
      heard: [
        [1, true],
        [2, false],
      ],
    },
  }),

  'events with a history': story({
    router: { history: [{ uri: 'a.t', limit: 10 }] },
    cast: { publisher: {}, reader: {} },
    async play(stage, { publisher, reader }) {
      for (const n of [1, 2]) await stage.record(`publish ${n}`, publish(publisher, 'a.t', [n]))
      const read = async function* () {
        const id = await reader.call('wamp.subscription.lookup', ['a.t'])
        const { args } = await reader.callRaw('wamp.subscription.get_events', [id])
        for (const event of args as { args: unknown[] }[]) yield event.args[0]
      }
      await stage.loop('read', read(), { loose: true })
    },
    whole: { 'publish 1': [PUBLISHED], 'publish 2': [PUBLISHED], read: [1, 2] },
  }),
})
