/** What the error of a call tells about the call. */

import { expect, test } from 'vitest'
import { NO_SUCH_PROCEDURE, RUNTIME_ERROR, TIMEOUT } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing } from './support.ts'

leavesNothing()

test('it names the procedure, for each of the calls that one loss ends as well', async () => {
  await using world = await openWorld({ link: 'wires' })
  const [callee, caller] = await world.join('callee', 'caller')
  await callee.register('com.example.throws', () => {
    throw new Error('boom')
  })
  for (const name of ['one', 'two']) await callee.register(`com.example.${name}`, () => new Promise(() => {}))
  expect(await failure(caller.call('com.example.throws'))).toMatchObject({
    uri: RUNTIME_ERROR,
    procedure: 'com.example.throws',
  })
  expect(await failure(caller.call('com.example.nobody'))).toMatchObject({
    uri: NO_SUCH_PROCEDURE,
    procedure: 'com.example.nobody',
  })
  expect(await failure(caller.call('com.example.one', [], {}, { timeout: 20 }))).toMatchObject({
    uri: TIMEOUT,
    procedure: 'com.example.one',
    message: 'no answer within 20 ms to the call of com.example.one',
  })
  const both = ['one', 'two'].map((name) => failure(caller.call(`com.example.${name}`)))
  await caller.call('wamp.session.count')
  await caller.stop()
  expect(await Promise.all(both)).toEqual([
    expect.objectContaining({ procedure: 'com.example.one', sent: true }),
    expect.objectContaining({ procedure: 'com.example.two', sent: true }),
  ])
})
