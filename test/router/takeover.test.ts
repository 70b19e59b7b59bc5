/** Registrations that another peer ends, by takeover or revocation, and the notifications about that. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  GOODBYE,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { able, refused, register } from './rpc.ts'
import { ask, dropped, ID, open, type Peer, TEXT, type World } from './support.ts'

describe('force_reregister', () => {
  test('takes the procedure from its callee, which is notified if it announced revocation', () => {
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
    // Running calls continue.
    one.says([YIELD, 1, {}, ['old']])
    expect(caller.take()).toEqual([[RESULT, 1, {}, ['old']]])
    expect(one.says([UNREGISTER, 9, old])).toEqual(refused(UNREGISTER, 9, 'no_such_registration'))
  })

  test('of a free procedure, or under another policy, is a plain registration', () => {
    const world = open()
    const [one, two] = [able(world), able(world)]
    register(one, 'com.add')
    register(two, 'com.add', { force_reregister: true, match: 'prefix' })
    expect(one.take()).toEqual([])
  })

  test("of the session's own procedure is notified and answered", () => {
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

  test('that is refused takes nothing', () => {
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

/** A realm with callees, and the log of an observer of registrations, after the messages sent before each. */
function observed(): { world: World; heard: string[]; callee(name: string): Peer } {
  const world = open()
  const callees = new Map<Peer, string>()
  const nameOf = (session: number): string | undefined => [...callees].find(([{ id }]) => id === session)?.[1]
  const heard: string[] = []
  const note = (text: string): void => {
    for (const [peer, name] of callees) for (const [code] of peer.take()) heard.push(`sent ${code} to ${name}`)
    heard.push(text)
  }
  world.router.observe({
    registered: ({ session, uri, first }) => note(`${first ? 'created and ' : ''}registered ${nameOf(session)} ${uri}`),
    unregistered: ({ session, uri, last }) =>
      note(`unregistered ${nameOf(session)} ${uri}${last ? ' and deleted' : ''}`),
  })
  const callee = (name: string): Peer => {
    const peer = able(world)
    callees.set(peer, name)
    return peer
  }
  return { world, heard, callee }
}

describe('an observer is called', () => {
  const FIRST = { invoke: 'first' }

  test('for a registration after the callee was answered, and for each callee that leaves', () => {
    const { heard, callee } = observed()
    const [one, two] = [callee('one'), callee('two')]
    one.says([REGISTER, 1, FIRST, 'com.add'])
    two.says([REGISTER, 1, FIRST, 'com.add'])
    const [[, , id] = []] = two.says([REGISTER, 2, FIRST, 'com.add'])
    one.says([UNREGISTER, 2, id])
    two.says([GOODBYE, {}, 'wamp.close.close_realm'])
    expect(heard).toEqual([
      `sent ${REGISTERED} to one`,
      'created and registered one com.add',
      `sent ${REGISTERED} to two`,
      'registered two com.add',
      `sent ${UNREGISTERED} to one`,
      'unregistered one com.add',
      `sent ${GOODBYE} to two`,
      'unregistered two com.add and deleted',
    ])
  })

  test('for a revocation, after the callee was notified', () => {
    const { world, heard, callee } = observed()
    const one = callee('one')
    one.says([REGISTER, 1, {}, 'com.add'])
    heard.length = 0
    const admin = world.join()
    const [, [id] = []] = ask(admin, 'wamp.registration.lookup', ['com.add']) as [number, number[]?]
    expect(ask(admin, 'wamp.registration.remove_callee', [id, one.id])).toEqual([RESULT])
    expect(ask(admin, 'wamp.registration.remove_callee', [id, one.id])[1]).toBe('wamp.error.no_such_registration')
    expect(heard).toEqual([`sent ${UNREGISTERED} to one`, 'unregistered one com.add and deleted'])
    expect(world.router.stats().registrations).toBe(0)
  })

  test('for a takeover: first with the end of the old registration', () => {
    const { heard, callee } = observed()
    callee('one').says([REGISTER, 1, FIRST, 'com.add'])
    callee('two').says([REGISTER, 1, FIRST, 'com.add'])
    heard.length = 0
    callee('three').says([REGISTER, 1, { ...FIRST, force_reregister: true }, 'com.add'])
    expect(heard).toEqual([
      `sent ${UNREGISTERED} to one`,
      'unregistered one com.add',
      `sent ${UNREGISTERED} to two`,
      'unregistered two com.add and deleted',
      `sent ${REGISTERED} to three`,
      'created and registered three com.add',
    ])
  })
})

test('a callee that turns out to be gone when it is notified of a takeover is removed', async () => {
  const world = open({ limits: { backlog: 1000 } })
  const peer = able(world)
  register(peer)
  peer.backlog = 5000
  peer.says([REGISTER, 5, { force_reregister: true }, 'com.add'])
  await dropped()
  expect(peer.end).toBe('terminated')
  expect(world.router.stats()).toMatchObject({ registrations: 0, sessions: 0 })
})
