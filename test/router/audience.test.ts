/** The six lists that filter the receivers of an event: a subscriber must pass each list that is present. */

import { describe, expect, test } from 'vitest'
import { EVENT, PUBLISH, PUBLISHED } from 'wampy-ts/testing'
import type { WirePublishOptions } from '../../src/protocol/options.ts'
import type { Member } from '../../src/router/member/member.ts'
import { Audience, audienceOf } from '../../src/router/pubsub/audience.ts'
import { ID, open, type Peer, subscribe } from './support.ts'

const member = (id: number, authid: string, authrole: string): Member =>
  ({ id, principal: { authid, authrole } }) as Member

describe('the filters of a publication', () => {
  const people = [
    member(1, 'ann', 'admin'),
    member(2, 'bob', 'user'),
    member(3, 'cid', 'user'),
    member(4, 'ann', 'user'),
  ]

  test.each<[WirePublishOptions, number[]]>([
    [{ eligible: [1, 3, 99] }, [1, 3]],
    [{ exclude: [1, 99] }, [2, 3, 4]],
    [{ eligible_authid: ['ann', 'nobody'] }, [1, 4]],
    [{ exclude_authid: ['ann'] }, [2, 3]],
    [{ eligible_authrole: ['admin'] }, [1]],
    [{ exclude_authrole: ['admin'] }, [2, 3, 4]],
    [{ eligible: [] }, []],
    [{ eligible_authid: [] }, []],
    [{ eligible_authrole: [] }, []],
    [{ exclude: [], exclude_authid: [], exclude_authrole: [] }, [1, 2, 3, 4]],
    [{ eligible: [1, 2], exclude: [2] }, [1]],
    [{ eligible: [1, 2, 3], eligible_authrole: ['user'] }, [2, 3]],
    [{ eligible_authid: ['ann'], exclude_authrole: ['admin'] }, [4]],
    [{ eligible_authrole: ['user'], exclude_authid: ['cid'], exclude: [4] }, [2]],
    [{ eligible: [1, 2, 3, 4], eligible_authid: ['ann', 'bob'], eligible_authrole: ['user'], exclude: [4] }, [2]],
  ])('%j reaches %j', (options, reached) => {
    expect(audienceOf(options)).toBeDefined()
    const audience = new Audience(options)
    expect(people.filter((one) => audience.admits(one)).map(({ id }) => id)).toEqual(reached)
    const members = new Map(people.map((one) => [one.id, one]))
    const looked = audience.among(new Set(people), members)
    expect([...looked].filter((one) => audience.admits(one)).map(({ id }) => id)).toEqual(reached)
  })

  test('without a filter no audience is created', () => {
    expect(audienceOf({ acknowledge: true, exclude_me: false })).toBeUndefined()
  })
})

/** Three subscribers of a topic and its publisher, which subscribes too. */
function four(): { alice: Peer; bob: Peer; carol: Peer; me: Peer; heard: (options: object) => string[] } {
  const { join } = open()
  const [alice, bob, carol, me] = [join(), join(), join(), join()]
  for (const peer of [alice, bob, carol, me]) subscribe(peer, 'com.topic')
  const heard = (options: object): string[] => {
    const own = me.says([PUBLISH, 1, { ...options, acknowledge: true }, 'com.topic', ['x']])
    expect(own).toContainEqual([PUBLISHED, 1, ID])
    const all = {
      alice: alice.take(),
      bob: bob.take(),
      carol: carol.take(),
      me: own.filter(([code]) => code === EVENT),
    }
    for (const events of Object.values(all)) {
      for (const event of events) expect(event).toEqual([EVENT, ID, ID, {}, ['x']])
      expect(events.length).toBeLessThan(2)
    }
    return Object.entries(all).flatMap(([name, events]) => (events.length > 0 ? [name] : []))
  }
  return { alice, bob, carol, me, heard }
}

describe('on the wire', () => {
  test('eligible and exclude hold session ids', () => {
    const { alice, bob, heard } = four()
    expect(heard({ eligible: [alice.id, bob.id] })).toEqual(['alice', 'bob'])
    expect(heard({ exclude: [alice.id] })).toEqual(['bob', 'carol'])
    expect(heard({ eligible: [alice.id, bob.id], exclude: [bob.id] })).toEqual(['alice'])
  })

  test('an empty eligible list reaches no session, an empty exclude list reaches all', () => {
    const { heard } = four()
    expect(heard({ eligible: [] })).toEqual([])
    expect(heard({ eligible_authid: [] })).toEqual([])
    expect(heard({ eligible_authrole: [] })).toEqual([])
    expect(heard({ exclude: [], exclude_authid: [], exclude_authrole: [] })).toEqual(['alice', 'bob', 'carol'])
  })

  test('eligible and exclude lists of authids and authroles filter the receivers', () => {
    const { alice, bob, heard } = four()
    expect(heard({ eligible_authid: [alice.authid] })).toEqual(['alice'])
    expect(heard({ exclude_authid: [alice.authid, bob.authid] })).toEqual(['carol'])
    expect(heard({ eligible_authrole: ['anonymous'] })).toEqual(['alice', 'bob', 'carol'])
    expect(heard({ exclude_authrole: ['anonymous'] })).toEqual([])
    expect(heard({ eligible_authrole: ['anonymous'], exclude_authid: [alice.authid] })).toEqual(['bob', 'carol'])
  })

  test('exclude_me is applied independently of the lists', () => {
    const { alice, me, heard } = four()
    expect(heard({ eligible: [me.id] })).toEqual([])
    expect(heard({ eligible: [me.id, alice.id], exclude_me: false })).toEqual(['alice', 'me'])
    expect(heard({ eligible: [alice.id], exclude_me: false })).toEqual(['alice'])
    expect(heard({ exclude: [me.id], exclude_me: false })).toEqual(['alice', 'bob', 'carol'])
  })

  test('ids of sessions in another realm, of former sessions and of unknown sessions match no receiver', () => {
    const { join } = open({ realms: ['one', 'two'] })
    const [here, there, gone, me] = [join({}, {}, 'one'), join({}, {}, 'two'), join({}, {}, 'one'), join({}, {}, 'one')]
    for (const peer of [here, there, gone]) subscribe(peer, 'com.topic')
    gone.lose()
    me.says([PUBLISH, 1, { eligible: [there.id, gone.id, 2 ** 53] }, 'com.topic'])
    expect([here.take(), there.take()]).toEqual([[], []])
  })

  test('the filters apply to pattern subscriptions as well', () => {
    const { join } = open()
    const [alice, bob, me] = [join(), join(), join()]
    for (const peer of [alice, bob]) {
      subscribe(peer, 'com.', { match: 'prefix' })
      subscribe(peer, 'com.topic')
    }
    me.says([PUBLISH, 1, { eligible: [alice.id] }, 'com.topic'])
    expect(alice.take()).toHaveLength(2)
    expect(bob.take()).toEqual([])
  })

  test('an event for many receivers is encoded once per kind of link, whichever sessions are excluded', () => {
    const { join } = open()
    const peers = Array.from({ length: 6 }, () => join({ prepares: true }))
    for (const peer of peers) subscribe(peer, 'com.topic')
    join().says([PUBLISH, 1, { exclude: [peers[0]?.id], disclose_me: true }, 'com.topic', [1]])
    expect(peers.map(({ prepared }) => prepared).reduce((a, b) => a + b)).toBe(1)
    expect(peers.map(({ written }) => written)).toEqual([0, 1, 1, 1, 1, 1])
  })
})
