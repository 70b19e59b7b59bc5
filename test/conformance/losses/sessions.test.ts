/** Sessions and what they own, meta events and meta procedures, with the loss of each side after each message. */

import { expect } from 'vitest'
import { NO_SUCH_PROCEDURE, REVOKED, RpcClient, rpc, subscribe, WampClient } from 'wampy-ts'
import { ANSWERED, fence, PUBLISHED, playAll, publish, story } from './lose.ts'

class Till extends WampClient {
  static prefix = 'com.till'
  open = true
  @rpc price(article: string): string {
    return `${article}: 3`
  }
  @rpc async *count(to: number): AsyncGenerator<number, string> {
    for (let n = 1; n <= to; n++) yield n
    return 'done'
  }
  @subscribe('com.till.close') close(): void {
    this.open = false
  }
}

const WATCHED = [
  'session.on_join',
  'session.on_leave',
  'registration.on_create',
  'registration.on_register',
  'registration.on_unregister',
  'registration.on_delete',
  'subscription.on_create',
  'subscription.on_subscribe',
  'subscription.on_unsubscribe',
  'subscription.on_delete',
]
/** The event that ends the effect of another. */
const ENDS: Readonly<Record<string, string>> = {
  'session.on_leave': 'session.on_join',
  'registration.on_unregister': 'registration.on_register',
  'registration.on_delete': 'registration.on_create',
  'subscription.on_unsubscribe': 'subscription.on_subscribe',
  'subscription.on_delete': 'subscription.on_create',
}

const back = { reconnect: () => 10 }

playAll({
  'a session': story({
    cast: {},
    async play(stage) {
      stage.client('one')
      await stage.settled()
      stage.leave('one')
    },
    whole: {},
  }),

  'a service and its typed client, from start to stop': story({
    cast: {},
    async play(stage) {
      const till = stage.client('till', {}, Till)
      const client = stage.client('client', { prefix: 'com.till' }, RpcClient<Till>)
      await stage.settled()
      await stage.record('price', client.rpc.price('tea'))
      await stage.loop('count', client.stream.count(2))
      await stage.record('close', client.publish('com.till.close'))
      await stage.settled()
      stage.note('open', till.open)
      stage.leave('till')
      stage.leave('client')
    },
    whole: { price: ['tea: 3'], count: [1, 2], close: ['done'], open: [false] },
    instead: { open: [true] },
  }),

  'a testament': story({
    cast: { owner: {}, heir: {} },
    async play(stage, { owner, heir }) {
      await stage.record(
        'subscribe',
        heir.subscribe('a.will', ([what]) => stage.note('inherited', what)),
        heir,
      )
      const leave = (what: string) => owner.call('wamp.session.add_testament', ['a.will', [what], {}])
      await stage.record('forgotten', leave('a debt'))
      await stage.record(
        'flush',
        owner.call('wamp.session.flush_testaments').then(() => ANSWERED),
      )
      await stage.record('left', leave('a house'))
      stage.leave('owner')
      // A testament that the router accepted is published, however its owner leaves.
      return (lost: string | undefined) => {
        if (lost !== 'owner' || stage.outcomes.get('subscribe')?.error) return
        const inherited = stage.outcomes.get('inherited')?.given ?? []
        if (stage.outcomes.get('left')?.given.length) expect(inherited).toEqual(['a house'])
        else if (stage.outcomes.get('flush')?.given.length) expect(inherited).not.toContain('a debt')
        else if (stage.outcomes.get('forgotten')?.given.length) expect(inherited.length).toBeLessThan(2)
      }
    },
    whole: {
      subscribe: ['done'],
      forgotten: ['done'],
      flush: [ANSWERED],
      left: ['done'],
      inherited: ['a house'],
    },
    instead: { inherited: ['a debt'] },
  }),

  'meta events of sessions and of what they own': story({
    cast: { watcher: {} },
    async before(stage, { watcher }) {
      for (const what of WATCHED) {
        await watcher.subscribe(`wamp.${what}`, ([first]) => {
          const { session = first } = first as { session?: unknown }
          stage.note(`of ${session}`, what)
        })
      }
    },
    async play(stage) {
      const comer = stage.client('comer')
      await stage.outcomes.get('start of comer')?.ended
      await stage.record(
        'register',
        comer.register('a.b', () => 1),
        comer,
      )
      await stage.record(
        'subscribe',
        comer.subscribe('a.t', () => {}),
        comer,
      )
      stage.leave('comer')
      return (lost: string | undefined) => {
        for (const [name, { given }] of stage.outcomes) {
          if (!/^of /.test(name)) continue
          stage.outcomes.delete(name)
          if (lost === 'watcher' || lost === 'router') continue
          // Each creation is followed by its end, in reverse order.
          const open: unknown[] = []
          for (const what of given) {
            if (ENDS[what as string] === undefined) open.push(what)
            else expect(open.splice(open.lastIndexOf(ENDS[what as string]), 1)).toEqual([ENDS[what as string]])
          }
          expect(open).toEqual([])
          if (!lost) expect(given).toHaveLength(10)
        }
      }
    },
    whole: { register: ['done'], subscribe: ['done'] },
  }),

  'revocations and kills by an administrator': story({
    cast: { admin: {}, owner: {} },
    async play(stage, { admin, owner }) {
      owner.on('failed', ({ uri: what }, { uri }) => stage.note(`revoked ${what}`, uri))
      await stage.record(
        'register',
        owner.register('a.b', () => 1),
        owner,
      )
      const { id } = owner.state === 'ready' ? owner.session : { id: 1 }
      const events = owner.events('a.t')
      void stage.loop('loop', events, { loose: true, by: owner })
      await stage.record('granted', events.subscription, owner)
      const take = async (procedure: string, lookup: string, uri: string) => {
        const found = await admin.call(lookup, [uri])
        return found === null ? 'gone' : admin.call(procedure, [found, id]).then(() => ANSWERED)
      }
      const [one, two] = ['wamp.registration', 'wamp.subscription']
      await stage.record('procedure', take(`${one}.remove_callee`, `${one}.lookup`, 'a.b'))
      await stage.record('topic', take(`${two}.remove_subscriber`, `${two}.lookup`, 'a.t'))
      await stage.record('call', admin.call('a.b'))
      await stage.record('fence', fence(owner))
      await events.return?.()
    },
    whole: {
      register: ['done'],
      granted: ['done'],
      procedure: [ANSWERED],
      topic: [ANSWERED],
      call: { error: NO_SUCH_PROCEDURE },
      fence: [ANSWERED],
      loop: { error: REVOKED },
      'revoked a.b': [REVOKED],
      'revoked a.t': [REVOKED],
    },
    instead: { procedure: ['gone'], topic: ['gone'], loop: [], call: [1] },
    errors: ['wamp.error.no_such_registration', 'wamp.error.no_such_subscription', 'wamp.error.no_such_session'],
  }),

  'handles that are restored on a rejoin': story({
    cast: { owner: back, other: back },
    async before(stage, { owner }) {
      await owner.register('a.b', ([n]) => n)
      await owner.subscribe('a.t', ([n]) => stage.note('heard', n))
    },
    async play(stage, { owner, other }) {
      const given = await stage.record(
        'register',
        owner.register('a.c', () => 1),
        owner,
      )
      stage.lines.get('owner')?.break()
      await given?.unregister()
      const there = async () => {
        for (;;) {
          try {
            return await other.call('a.b', [1], {}, { waitForReady: true })
          } catch (error) {
            // Lost once more, or not restored yet.
            if ([owner.state, other.state].includes('stopped')) throw error
            await stage.sleep(10)
          }
        }
      }
      await stage.record('call', there())
      await stage.record('publish', publish(other, 'a.t', [2]))
      await stage.record(
        'another',
        owner.subscribe('a.t', ([n]) => stage.note('heard by another', n)),
        owner,
      )
      await stage.record('publish again', publish(other, 'a.t', [3]))
      await stage.record('call of nobody', other.call('a.c'))
    },
    whole: {
      register: ['done'],
      call: [1],
      publish: [PUBLISHED],
      heard: [2, 3],
      another: ['done'],
      'publish again': [PUBLISHED],
      'heard by another': [3],
      'call of nobody': { error: NO_SUCH_PROCEDURE },
    },
    // If the wait for the grant has ended, the registration continues.
    instead: { 'call of nobody': [1] },
  }),
})
