/** Publications and subscriptions, of which each side is lost after each message. */

import type { EventHandler } from 'wampy-ts'
import { ANSWERED, fence, PUBLISHED, publish, story, tellAll } from './lose.ts'

tellAll({
  'events for whom they are meant': story({
    cast: { publisher: {}, subscriber: {}, other: {} },
    async play(stage, { publisher, subscriber, other }) {
      const id = subscriber.state === 'ready' ? subscriber.session.id : 1
      const heard: EventHandler = ([n], _kwargs, { publisher }) => stage.note('heard', publisher ? `${n} by name` : n)
      const handle = await stage.tell('subscribe', subscriber.subscribe('a', heard, { match: 'prefix' }), subscriber)
      await stage.tell(
        'other',
        other.subscribe('a.t', ([n]) => stage.note('heard by others', n)),
        other,
      )
      await stage.tell('one', publish(publisher, 'a.t', [1], { eligible: id }))
      await stage.tell('two', publish(publisher, 'a.t', [2], { disclose_me: true }))
      await stage.tell('fence', fence(subscriber))
      await stage.tell('unsubscribe', handle?.unsubscribe())
      await stage.tell('three', publish(publisher, 'a.t', [3]))
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
      await stage.tell('granted', events.subscription, subscriber)
      for (const n of [1, 2, 3]) await stage.tell(`publish ${n}`, publish(publisher, 'a.t', [n]))
      // What is not there when this is answered does not come.
      await stage.tell('fence', fence(subscriber))
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

  'an event that is retained': story({
    cast: { publisher: {}, subscriber: {} },
    async play(stage, { publisher, subscriber }) {
      await stage.tell('publish 1', publish(publisher, 'a.t', [1], { retain: true }))
      const heard = (args: readonly unknown[], _kwargs: unknown, { retained }: { retained?: boolean }) =>
        stage.note('heard', [args[0], retained === true])
      await stage.tell('subscribe', subscriber.subscribe('a.t', heard, { get_retained: true }), subscriber)
      await stage.tell('publish 2', publish(publisher, 'a.t', [2], { retain: true }))
      await stage.tell('fence', fence(subscriber))
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

  'events that are remembered': story({
    router: { history: [{ uri: 'a.t', limit: 10 }] },
    cast: { publisher: {}, reader: {} },
    async play(stage, { publisher, reader }) {
      for (const n of [1, 2]) await stage.tell(`publish ${n}`, publish(publisher, 'a.t', [n]))
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
