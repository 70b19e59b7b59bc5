/** Random sequences of session actions: each event reaches the receivers of a simple model, and the meta events alone show the same tables. */

import { expect, test } from 'vitest'
import { EVENT, PUBLISH, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from 'wampy-ts/testing'
import { ask, open, type Peer, WAYS } from './support.ts'

interface Held {
  readonly id: number
  readonly pattern: string
  readonly match: string
}

interface Actor {
  readonly peer: Peer
  readonly held: Held[]
}

const WORDS = ['a', 'b', 'ab']
const MATCHES = ['exact', 'prefix', 'wildcard']

function matches({ pattern, match }: Held, topic: string): boolean {
  if (match === 'exact') return pattern === topic
  if (match === 'prefix') return topic.startsWith(pattern)
  const [wanted, found] = [pattern.split('.'), topic.split('.')]
  return wanted.length === found.length && wanted.every((word, i) => word === '' || word === found[i])
}

test.each([1, 2, 3])('seed %i', (start) => {
  let seed = start
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const { join, router } = open()
  const watcher = join()
  for (const topic of ['wamp.session.on_leave', 'wamp.session.on_join']) watcher.says([SUBSCRIBE, 1, {}, topic])
  watcher.says([SUBSCRIBE, 1, { match: 'prefix' }, 'wamp.subscription.'])
  // The watcher's picture of the tables, from the meta events it receives.
  const mirror = new Map<number, Set<number>>()
  const sessions = new Set<number>()
  const listen = (): void => {
    for (const [, , , details, args] of watcher.take() as [number, number, number, { topic?: string }, unknown[]][]) {
      const [session, id] = args as [number, number]
      const name = details.topic?.replace('wamp.subscription.on_', '')
      if (name === 'create') mirror.set((args[1] as Held).id, new Set())
      else if (name === 'subscribe') mirror.get(id)?.add(session)
      else if (name === 'unsubscribe') expect(mirror.get(id)?.delete(session)).toBe(true)
      else if (name === 'delete') {
        expect(mirror.get(id)?.size).toBe(0)
        mirror.delete(id)
      } else if (args.length === 3) expect(sessions.delete(session)).toBe(true)
      else sessions.add((args[0] as { session: number }).session)
    }
  }
  let actors: Actor[] = []
  for (let step = 0; step < 1000; step++) {
    if (actors.length < 5) actors.push({ peer: join({ prepares: random(2) === 0 }), held: [] })
    const one = pick(actors)
    const choice = random(30)
    if (choice === 0) {
      pick(Object.values(WAYS))(one.peer)
      actors = actors.filter((actor) => actor !== one)
    } else if (choice === 1 && actors.length > 1) {
      const victim = pick(actors)
      if (victim === one) continue
      ask(one.peer, 'wamp.session.kill', [victim.peer.id])
      actors = actors.filter((actor) => actor !== victim)
    } else if (choice < 10) {
      const match = pick(MATCHES)
      // A payload of its own keeps the router's events from matching.
      const word = (_: unknown, i: number): string =>
        i > 0 && match === 'wildcard' && random(3) === 0 ? '' : pick(WORDS)
      const pattern = Array.from({ length: 1 + random(3) }, word).join('.')
      const [answer] = one.peer.says([SUBSCRIBE, step + 1, { match }, pattern]) as [number[]]
      expect(answer).toEqual([SUBSCRIBED, step + 1, expect.any(Number)])
      const id = answer[2] as number
      const known = one.held.find((held) => held.pattern === pattern && held.match === match)
      if (known) expect(id).toBe(known.id)
      else one.held.push({ id, pattern, match })
    } else if (choice < 14 && one.held.length > 0) {
      const [gone] = one.held.splice(random(one.held.length), 1) as [Held]
      if (random(3) > 0) expect(one.peer.says([UNSUBSCRIBE, step + 1, gone.id])).toEqual([[UNSUBSCRIBED, step + 1]])
      else ask(pick(actors).peer, 'wamp.subscription.remove_subscriber', [gone.id, one.peer.id])
    } else {
      const topic = Array.from({ length: 1 + random(3) }, () => pick(WORDS)).join('.')
      const named = actors.filter(() => random(2) === 0)
      const ids = named.map(({ peer }) => peer.id)
      const authids = named.map(({ peer }) => peer.authid)
      const options = pick([
        { exclude_me: false },
        {},
        { eligible: ids },
        { exclude: ids, exclude_me: false },
        { eligible_authid: authids, exclude_me: false },
        { exclude_authid: authids },
      ])
      const inList = 'eligible' in options || 'eligible_authid' in options
      const anybody = Object.keys(options).every((key) => key === 'exclude_me')
      const heard = new Map(
        actors.map(({ peer }) => [
          peer,
          peer === one.peer ? one.peer.says([PUBLISH, step + 1, options, topic, [step]]) : [],
        ]),
      )
      for (const { peer, held } of actors) {
        const may =
          (anybody || named.some((actor) => actor.peer === peer) === inList) &&
          (peer !== one.peer || 'exclude_me' in options)
        const wanted = may ? held.filter((each) => matches(each, topic)) : []
        const got = [...(heard.get(peer) ?? []), ...peer.take()] as [
          number,
          number,
          number,
          { topic?: string },
          unknown[],
        ][]
        expect(got.map(([, id]) => id).sort()).toEqual(wanted.map(({ id }) => id).sort())
        expect(new Set(got.map(([, , publication]) => publication)).size).toBeLessThan(2)
        for (const [code, id, , details, args] of got) {
          expect([code, args]).toEqual([EVENT, [step]])
          const exact = held.find((each) => each.id === id)?.match === 'exact'
          expect(details).toEqual(exact ? {} : { topic })
        }
      }
    }
    for (const { peer } of actors) peer.take()
    listen()
    const truth = new Map<number, Set<number>>()
    for (const { peer, held } of actors) {
      for (const { id } of held) truth.set(id, (truth.get(id) ?? new Set()).add(peer.id))
    }
    expect(mirror).toEqual(truth)
    expect(sessions).toEqual(new Set(actors.map(({ peer }) => peer.id)))
    expect(router.stats().subscriptions).toBe(truth.size + 3)
  }
})
