/** Registrations that end by another's will: taken over, or revoked; and who hears of what becomes of them. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from '../../src/protocol/codes.ts'
import type { RegisterOptions } from '../../src/protocol/options.ts'
import { LIMITS, nothingDropped } from '../../src/router/member/limits.ts'
import type { Member } from '../../src/router/member/member.ts'
import { Dealer, type DealerOptions } from '../../src/router/rpc/dealer.ts'
import { able, refused, register } from './rpc.ts'
import { dropped, ID, open, TEXT } from './support.ts'

describe('force_reregister', () => {
  test('takes the procedure from whoever has it, who is told if it announced that', () => {
    const world = open()
    const [one, two, three, caller] = [able(world), able(world, 'registration_revocation'), able(world), able(world)]
    const old = register(one, 'com.add', { invoke: 'roundrobin' })
    register(two, 'com.add', { invoke: 'roundrobin' })
    caller.says([CALL, 1, {}, 'com.add'])
    one.take()
    const id = register(three, 'com.add', { force_reregister: true })
    expect(id).not.toBe(old)
    expect(one.take()).toEqual([[UNREGISTERED, 0, { registration: old, reason: 'wamp.error.unregistered' }]])
    expect(two.take()).toEqual([])
    caller.says([CALL, 2, {}, 'com.add'])
    expect(three.take()).toEqual([[INVOCATION, 1, id, {}]])
    // What was under way goes on.
    one.says([YIELD, 1, {}, ['old']])
    expect(caller.take()).toEqual([[RESULT, 1, {}, ['old']]])
    expect(one.says([UNREGISTER, 9, old])).toEqual(refused(UNREGISTER, 9, 'no_such_registration'))
  })

  test('of what nobody has, or under another policy, is just a registration', () => {
    const world = open()
    const [one, two] = [able(world), able(world)]
    register(one, 'com.add')
    register(two, 'com.add', { force_reregister: true, match: 'prefix' })
    expect(one.take()).toEqual([])
  })

  test("of one's own is told, and answered", () => {
    const world = open()
    const peer = able(world)
    const old = register(peer)
    const said = peer.says([REGISTER, 5, { force_reregister: true }, 'com.add'])
    expect(said).toEqual([
      [UNREGISTERED, 0, { registration: old, reason: 'wamp.error.unregistered' }],
      [REGISTERED, 5, ID],
    ])
    expect(world.router.stats().registrations).toBe(1)
  })

  test('of what is refused takes nothing', () => {
    const { join, router } = open({ limits: { registrations: 1 } })
    const [one, two] = [join(), join()]
    register(one, 'com.add')
    register(two, 'com.other')
    expect(two.says([REGISTER, 5, { force_reregister: true }, 'com.add'])).toEqual([
      [ERROR, REGISTER, 5, {}, 'wampy.error.limit_exceeded', [TEXT]],
    ])
    expect(router.stats().registrations).toBe(2)
  })
})

/** A dealer alone, with members that are no more than it needs, and what its observer heard. */
function observed(): {
  dealer: Dealer
  heard: string[]
  member(id: number, said?: (message: unknown[]) => void): Member
} {
  const options: DealerOptions = {
    strict: false,
    limits: LIMITS,
    policy: { disclose: 'asked', trustlevel: undefined },
    callQueue: [],
  }
  const dealer = new Dealer(options, nothingDropped())
  const heard: string[] = []
  const note =
    (what: string) =>
    (session: number, { uri, endpoints }: { uri: string; endpoints: readonly unknown[] }): void => {
      heard.push(`${what} ${session} ${uri} ${endpoints.length}`)
    }
  dealer.observer = {
    created: note('created'),
    registered: note('registered'),
    unregistered: note('unregistered'),
    deleted: note('deleted'),
  }
  const member = (id: number, said: (message: unknown[]) => void = () => {}): Member =>
    ({
      id,
      realm: {},
      registrations: new Map(),
      calls: new Map(),
      invocations: new Map(),
      announces: () => true,
      send: said,
    }) as unknown as Member
  return { dealer, heard, member }
}

describe('the observer of a dealer hears', () => {
  const add = (dealer: Dealer, member: Member, options: RegisterOptions = { invoke: 'first' }): void =>
    dealer.handlers[REGISTER]?.([REGISTER, 1, options, 'com.add'], member)

  test('created before registered, and unregistered before deleted', () => {
    const { dealer, heard, member } = observed()
    const [one, two] = [member(1, (message) => heard.push(`sent ${message[0]}`)), member(2)]
    add(dealer, one)
    add(dealer, two)
    add(dealer, two)
    const [id] = [...one.registrations.keys()] as [number]
    dealer.handlers[UNREGISTER]?.([UNREGISTER, 2, id], one)
    dealer.left(two)
    expect(heard).toEqual([
      `sent ${REGISTERED}`,
      'created 1 com.add 1',
      'registered 1 com.add 1',
      'registered 2 com.add 2',
      `sent ${UNREGISTERED}`,
      'unregistered 1 com.add 1',
      'unregistered 2 com.add 0',
      'deleted 2 com.add 0',
    ])
  })

  test('of a revocation, after the callee', () => {
    const { dealer, heard, member } = observed()
    const one = member(1, (message) => heard.push(JSON.stringify(message)))
    add(dealer, one, {})
    const registration = dealer.patterns.get('com.add')
    if (!registration) throw new Error('nothing is registered')
    heard.length = 0
    expect(dealer.revoke(registration, one, 'com.example.enough')).toBe(true)
    expect(dealer.revoke(registration, one)).toBe(false)
    expect(heard).toEqual([
      JSON.stringify([UNREGISTERED, 0, { registration: registration.id, reason: 'com.example.enough' }]),
      'unregistered 1 com.add 0',
      'deleted 1 com.add 0',
    ])
    expect(dealer.registrations).toBe(0)
  })

  test('of a takeover: the end of the old first', () => {
    const { dealer, heard, member } = observed()
    add(dealer, member(1))
    add(dealer, member(2))
    add(dealer, member(3), { force_reregister: true })
    expect(heard.slice(3)).toEqual([
      'unregistered 1 com.add 1',
      'unregistered 2 com.add 0',
      'deleted 2 com.add 0',
      'created 3 com.add 1',
      'registered 3 com.add 1',
    ])
  })
})

test('a callee that is found to be gone in being told of a takeover is no callee', async () => {
  const world = open({ limits: { backlog: 1000 } })
  const peer = able(world)
  register(peer)
  peer.backlog = 5000
  peer.says([REGISTER, 5, { force_reregister: true }, 'com.add'])
  await dropped()
  expect(peer.end).toBe('terminated')
  expect(world.router.stats()).toMatchObject({ registrations: 0, sessions: 0 })
})
