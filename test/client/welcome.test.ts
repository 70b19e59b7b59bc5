/** A WELCOME that is not well-formed ends the attempt with a violation, whatever a client might read of it. */

import { expect, test } from 'vitest'
import { ABORT } from 'wampy-ts/testing'
import { clientOf, failure, leavesNothing, until, welcoming } from './support.ts'

leavesNothing()

const roles = { broker: {}, dealer: {} }

test.each([
  { roles: { dealer: 5 } },
  { roles: { broker: null } },
  { roles: { broker: { features: [] } } },
  { roles: [] },
  {},
  { roles, authid: 7 },
  { roles, authrole: {} },
  { roles, authmethod: true },
  { roles, authprovider: ['static'] },
  { roles, authextra: 'x' },
  { roles, realm: 1 },
  { roles, agent: {} },
])('%j', async (details) => {
  const router = welcoming(undefined, () => [2, 4711, details])
  const error = await failure(clientOf(router, { reconnect: false }).start())
  expect(error).toMatchObject({ uri: 'wamp.error.protocol_violation' })
  await until(() => router.peers[0]?.received.at(-1)?.[0] === ABORT)
})

test.each([
  { roles },
  { roles: {} },
  { roles: { dealer: { features: { call_timeout: true, x_custom: { a: 1 } } } }, authid: null, x_more: [1] },
])('%j is accepted', async (details) => {
  const client = clientOf(
    welcoming(undefined, () => [2, 4711, details]),
    { reconnect: false },
  )
  await client.start()
  expect(client.session.id).toBe(4711)
})
