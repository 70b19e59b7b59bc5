/** Rules by role: a table of rules against actions, what a pattern receives, and control over others. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { type Client, RpcClient, WampClient } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { type AuthMethod, ticketAuth } from 'wampy-ts/auth/router'
import { type RoleRules, Router } from 'wampy-ts/router'

const DENIED = 'wamp.error.not_authorized'
const all = { call: true, register: true, publish: true, subscribe: true }
const none = { call: false, register: false, publish: false, subscribe: false }

/** Crossbar.io's vocabulary, as it stands in a configuration. */
const roles: readonly RoleRules[] = [
  {
    name: 'user',
    permissions: [
      {
        uri: 'com.app.',
        match: 'prefix',
        allow: { call: true, subscribe: true },
        disclose: { caller: true, publisher: false },
        cache: true,
      },
      { uri: 'com.app.secret', match: 'exact', allow: none },
      { uri: 'com.app.chat', match: 'exact', allow: { publish: true, subscribe: true } },
      { uri: 'com.app.admin.', match: 'prefix', allow: none },
      { uri: 'com.app.admin.help', allow: { call: true } },
      { uri: 'net..status', match: 'wildcard', allow: { call: true, subscribe: true } },
      { uri: 'net.core.status', match: 'exact', allow: none },
      { uri: 'org.jobs.*', allow: { register: true } },
      { uri: 'org.jobs.closed', allow: none },
      { uri: 'org.exact', match: 'exact', allow: all },
      { uri: 'wamp.session.count', allow: { call: true } },
    ],
  },
  { name: 'admin', permissions: [{ uri: '', match: 'prefix', allow: all, control: true }] },
  { name: 'operator', permissions: [{ uri: '', match: 'prefix', allow: all }] },
  { name: 'nothing', permissions: [] },
]

/** [uri, match], and the roles that may call, register, publish and subscribe: u(ser), a(dmin), o(perator). */
const cells: readonly (readonly [string, 'exact' | 'prefix' | 'wildcard', string, string, string, string])[] = [
  ['com.app.x', 'exact', 'uao', 'ao', 'ao', 'uao'],
  ['com.app.x.y', 'exact', 'uao', 'ao', 'ao', 'uao'],
  ['com.app.secret', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['com.app.secret.deeper', 'exact', 'uao', 'ao', 'ao', 'uao'],
  ['com.app.chat', 'exact', 'ao', 'ao', 'uao', 'uao'],
  ['com.app.admin.kick', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['com.app.admin.help', 'exact', 'uao', 'ao', 'ao', 'ao'],
  ['com.app', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['com.apple', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['net.edge.status', 'exact', 'uao', 'ao', 'ao', 'uao'],
  ['net.core.status', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['net.edge.status.x', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['net.status', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['org.jobs.one', 'exact', 'ao', 'uao', 'ao', 'ao'],
  ['org.exact', 'exact', 'uao', 'uao', 'uao', 'uao'],
  ['elsewhere', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['com.app.', 'prefix', '', 'ao', '', 'uao'],
  ['com.app.x', 'prefix', '', 'ao', '', 'uao'],
  ['com.', 'prefix', '', 'ao', '', 'ao'],
  ['com.app.admin.', 'prefix', '', 'ao', '', 'ao'],
  ['com.app.chat', 'prefix', '', 'ao', '', 'uao'],
  // A narrower rule denies a part of it.
  ['org.jobs.', 'prefix', '', 'ao', '', 'ao'],
  ['org.jobs.closed', 'exact', 'ao', 'ao', 'ao', 'ao'],
  ['org.jobs.', 'wildcard', '', 'ao', '', 'ao'],
  ['org.jobs.a.', 'prefix', '', 'uao', '', 'ao'],
  ['org.exact', 'prefix', '', 'ao', '', 'ao'],
  ['net.', 'prefix', '', 'ao', '', 'ao'],
  ['com.app..y', 'wildcard', '', 'ao', '', 'uao'],
  ['com..x', 'wildcard', '', 'ao', '', 'ao'],
  ['net..status', 'wildcard', '', 'ao', '', 'uao'],
  ['net.edge.', 'wildcard', '', 'ao', '', 'ao'],
  ['..status', 'wildcard', '', 'ao', '', 'ao'],
  ['org.jobs.a.', 'wildcard', '', 'uao', '', 'ao'],
]

const people: AuthMethod = ticketAuth(
  Object.fromEntries(
    ['user', 'admin', 'operator', 'nothing', 'stranger'].map((role) => [role, { ticket: role, role }]),
  ),
)

function opened(options: ConstructorParameters<typeof Router>[0] = {}) {
  const router = new Router({ auth: [people], authorize: roles, ...options })
  const join = async (role: string): Promise<WampClient> => {
    const client = new WampClient({ router, auth: [ticket(role, role)], reconnect: false })
    client.on('error', () => {})
    onTestFinished(() => client.stop())
    await client.start()
    return client
  }
  return { router, join }
}

/** True if an action is not refused for want of a right. */
async function allowed(action: Promise<unknown>): Promise<boolean> {
  const error = await action.then(
    () => undefined,
    (reason: { uri: string }) => reason.uri,
  )
  return error !== DENIED
}

const tries = {
  call: (client: WampClient, uri: string) => client.call(uri),
  register: async (client: WampClient, uri: string, match: 'exact' | 'prefix' | 'wildcard') =>
    (await client.register(uri, () => 1, { match })).unregister(),
  publish: (client: WampClient, uri: string) => client.publish(uri, [], {}, { acknowledge: true }),
  subscribe: async (client: WampClient, uri: string, match: 'exact' | 'prefix' | 'wildcard') =>
    (await client.subscribe(uri, () => {}, { match })).unsubscribe(),
} as const

describe('the table', () => {
  let count = 0

  test.each(cells)('%s by %s', async (uri, match, ...columns) => {
    const { join } = opened()
    for (const role of ['user', 'admin', 'operator', 'nothing', 'stranger']) {
      const client = await join(role)
      for (const [at, action] of (['call', 'register', 'publish', 'subscribe'] as const).entries()) {
        if (match !== 'exact' && (action === 'call' || action === 'publish')) continue
        const expected =
          (columns[at] as string).includes(role[0] as string) && ['user', 'admin', 'operator'].includes(role)
        expect([role, action, await allowed(tries[action](client, uri, match))]).toEqual([role, action, expected])
        count++
      }
    }
  })

  test('has more than 200 cells', () => {
    expect(count).toBeGreaterThan(200)
  })
})

describe('a registration by pattern is refused where a more specific rule denies some of its URIs', () => {
  const allow = { register: true }
  test.each<[string, 'prefix' | 'wildcard', boolean, NonNullable<RoleRules['permissions']>]>([
    [
      'com..x',
      'wildcard',
      false,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: 'com.a.', match: 'prefix' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      false,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: 'com.a', match: 'prefix' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      true,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: 'com.a.y', match: 'prefix' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      true,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: 'com.a.b.', match: 'prefix' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      false,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: '.a.x', match: 'wildcard' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      false,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: 'com.a.', match: 'wildcard' },
      ],
    ],
    [
      'com..x',
      'wildcard',
      true,
      [
        { uri: '..x', match: 'wildcard', allow },
        { uri: '.a.y', match: 'wildcard' },
      ],
    ],
    // The rules that come after the one that allows decide about none of its URIs.
    [
      'com.',
      'prefix',
      true,
      [
        { uri: 'com.', match: 'prefix', allow },
        { uri: 'com..x', match: 'wildcard' },
      ],
    ],
    [
      'com.a.',
      'prefix',
      true,
      [
        { uri: 'com.a', match: 'prefix', allow },
        { uri: 'com.', match: 'prefix' },
      ],
    ],
    [
      'com.',
      'prefix',
      false,
      [
        { uri: 'com.', match: 'prefix', allow },
        { uri: 'com.a', match: 'prefix' },
      ],
    ],
    [
      'com.',
      'prefix',
      true,
      [
        { uri: 'com.', match: 'prefix', allow },
        { uri: 'com.a', match: 'prefix', allow },
      ],
    ],
    // No callee serves the procedures of the router.
    [
      '',
      'prefix',
      true,
      [
        { uri: '', match: 'prefix', allow },
        { uri: 'wamp.', match: 'prefix' },
        { uri: 'wamp.session.kill', allow: { call: true } },
      ],
    ],
  ])('%s by %s: %s', async (uri, match, expected, permissions) => {
    const { join } = opened({ authorize: [{ name: 'user', permissions }] })
    expect(await allowed(tries.register(await join('user'), uri, match))).toBe(expected)
  })
})

const CONTROLLING: readonly [procedure: string, args: (of: number) => unknown[]][] = [
  ['wamp.session.kill', (of) => [of]],
  ['wamp.session.kill_all', () => []],
  ['wamp.session.kill_by_authid', () => ['nothing']],
  ['wamp.session.kill_by_authrole', () => ['nothing']],
  ['wamp.registration.remove_callee', (of) => [1, of]],
  ['wamp.subscription.remove_subscriber', (of) => [1, of]],
]

describe('control over others', () => {
  test.each(CONTROLLING)('%s needs a rule with `control`', async (procedure, args) => {
    const { join } = opened()
    const victim = await join('nothing')
    for (const [role, expected] of [
      ['user', false],
      ['operator', false],
      ['admin', true],
    ] as const) {
      const client = await join(role)
      expect([role, await allowed(client.call(procedure, args(victim.session.id)))]).toEqual([role, expected])
    }
  })

  test.each(CONTROLLING)('%s is refused without configuration', async (procedure, args) => {
    const router = new Router()
    const clients: Client[] = []
    for (let n = 0; n < 2; n++) {
      const client = new RpcClient({ router, reconnect: false })
      onTestFinished(() => client.stop())
      await client.start()
      clients.push(client)
    }
    const [one, other] = clients as [Client, Client]
    await expect(one.call(procedure, args(other.session.id))).rejects.toMatchObject({ uri: DENIED })
    expect(other.state).toBe('ready')
  })

  test('reading the meta API needs no control', async () => {
    const client = new RpcClient({ router: new Router(), reconnect: false })
    onTestFinished(() => client.stop())
    await client.start()
    expect(await client.call('wamp.session.count')).toBe(1)
    expect(await client.call('wamp.session.list')).toEqual([client.session.id])
    expect(await client.call('wamp.registration.list')).toMatchObject({ exact: [] })
  })

  test('a registration is taken over by its own principal, and by others only with control', async () => {
    const { join } = opened()
    const owner = await join('operator')
    const uri = 'com.service'
    await owner.register(uri, () => 'old')
    const again = await join('operator')
    await again.register(uri, () => 'new', { force_reregister: true })
    expect(await owner.call(uri)).toBe('new')
    const open = new Router({
      auth: [people],
      authorize: [
        { name: 'operator', permissions: [{ uri: '', match: 'prefix', allow: all }] },
        { name: 'user', permissions: [{ uri: '', match: 'prefix', allow: all }] },
        { name: 'admin', permissions: [{ uri: '', match: 'prefix', allow: all, control: true }] },
      ],
    })
    const join2 = async (role: string) => {
      const client = new WampClient({ router: open, auth: [ticket(role, role)], reconnect: false })
      onTestFinished(() => client.stop())
      await client.start()
      return client
    }
    const [first, user, admin] = [await join2('operator'), await join2('user'), await join2('admin')]
    await first.register(uri, () => 'old')
    await expect(user.register(uri, () => 'stolen', { force_reregister: true })).rejects.toMatchObject({ uri: DENIED })
    expect(await user.call(uri)).toBe('old')
    await admin.register(uri, () => 'taken', { force_reregister: true })
    expect(await user.call(uri)).toBe('taken')
  })
})

describe('a subscription by pattern', () => {
  test('receives exactly the topics that its role may subscribe to, live, retained and from history', async () => {
    const { join } = opened({ history: [{ uri: 'com.app.', match: 'prefix', limit: 10 }] })
    const [user, admin] = [await join('user'), await join('admin')]
    for (const [at, topic] of ['com.app.news', 'com.app.secret', 'com.app.admin.log'].entries()) {
      await admin.publish(topic, [at], {}, { acknowledge: true, retain: true })
    }
    const heard: unknown[] = []
    const handle = await user.subscribe('com.app.', ([n]) => heard.push(n), { match: 'prefix', get_retained: true })
    for (const topic of ['com.app.secret', 'com.app.chat', 'com.app.admin.log']) {
      await admin.publish(topic, [topic], {}, { acknowledge: true })
    }
    await user.call('wamp.session.count')
    expect(heard).toEqual([0, 'com.app.chat'])
    const events = await admin.callRaw('wamp.subscription.get_events', [handle.id])
    expect(events.args).toHaveLength(6)
    await expect(user.call('wamp.subscription.get_events', [handle.id])).rejects.toMatchObject({ uri: DENIED })
  })

  test('a history returns the events whose topics the role may subscribe to', async () => {
    const { join } = opened({
      history: [{ uri: 'com.app.', match: 'prefix', limit: 10 }],
      authorize: [
        {
          name: 'user',
          permissions: [
            { uri: 'com.app.', match: 'prefix', allow: { subscribe: true } },
            { uri: 'com.app.secret', allow: {} },
            { uri: 'wamp.', match: 'prefix', allow: { call: true } },
          ],
        },
        { name: 'nothing', permissions: [{ uri: 'wamp.', match: 'prefix', allow: { call: true } }] },
        { name: 'admin', permissions: [{ uri: '', match: 'prefix', allow: all }] },
      ],
    })
    const [user, admin, other] = [await join('user'), await join('admin'), await join('nothing')]
    for (const topic of ['com.app.news', 'com.app.secret'])
      await admin.publish(topic, [topic], {}, { acknowledge: true })
    const id = await user.call('wamp.subscription.lookup', ['com.app.', { match: 'prefix' }])
    const { args } = await user.callRaw('wamp.subscription.get_events', [id])
    expect(args.map((event) => (event as { args: unknown[] }).args)).toEqual([['com.app.news']])
    await expect(other.call('wamp.subscription.get_events', [id])).rejects.toMatchObject({ uri: DENIED })
  })
})

test('each callee of a shared registration needs the right itself', async () => {
  const { join } = opened()
  const [user, operator, admin] = [await join('user'), await join('operator'), await join('admin')]
  const options = { invoke: 'roundrobin' } as const
  await admin.register('com.app.shared', () => 'admin', options)
  await expect(user.register('com.app.shared', () => 'user', options)).rejects.toMatchObject({ uri: DENIED })
  await operator.register('com.app.shared', () => 'operator', options)
  const answers = await Promise.all([1, 2, 3, 4].map(() => user.call('com.app.shared')))
  expect(answers.sort()).toEqual(['admin', 'admin', 'operator', 'operator'])
})

test('a testament needs the right to publish it when it is added', async () => {
  const { join } = opened({
    authorize: [
      {
        name: 'user',
        permissions: [
          { uri: 'wamp.session.add_testament', allow: { call: true } },
          { uri: 'com.app.chat', allow: { publish: true } },
        ],
      },
      { name: 'admin', permissions: [{ uri: '', match: 'prefix', allow: all }] },
    ],
  })
  const [leaving, staying] = [await join('user'), await join('admin')]
  const heard: unknown[] = []
  const add = (client: WampClient, topic: string) => client.call('wamp.session.add_testament', [topic, [], {}])
  await staying.subscribe('com.app.', (_args, _kwargs, { topic }) => heard.push(topic), { match: 'prefix' })
  await add(leaving, 'com.app.chat')
  await expect(add(leaving, 'com.app.news')).rejects.toMatchObject({ uri: DENIED })
  await leaving.stop()
  await staying.call('wamp.session.count')
  expect(heard).toEqual(['com.app.chat'])
})

describe('with rules', () => {
  const disclosing = [
    {
      name: 'user',
      permissions: [
        { uri: 'com.', match: 'prefix', allow: all },
        { uri: 'com.shown.', match: 'prefix', allow: all, disclose: { caller: true, publisher: true } },
      ],
    },
  ] satisfies RoleRules[]

  test('the options disclose and trustlevel decide what no rule does', async () => {
    const { join } = opened({
      authorize: disclosing,
      disclose: 'never',
      trustlevel: (action, uri) => (uri.endsWith('x') ? 4 : action === 'call' ? 1 : 2),
    })
    const [one, other] = [await join('user'), await join('user')]
    const heard: unknown[] = []
    const note = (_args: unknown, _kwargs: unknown, details: object): void => {
      const { caller_authid, publisher_authid, trustlevel } = details as Record<string, unknown>
      heard.push([caller_authid ?? publisher_authid, trustlevel])
    }
    for (const uri of ['com.shown.x', 'com.hidden']) {
      await one.register(uri, note)
      await one.subscribe(uri, note)
      await other.call(uri)
      await other.publish(uri, [], {}, { acknowledge: true })
    }
    await one.call('com.hidden')
    expect(heard).toEqual([
      ['user', 4],
      ['user', 4],
      [undefined, 1],
      [undefined, 2],
      [undefined, 1],
    ])
    const refused = { uri: 'wamp.error.option_disallowed.disclose_me' }
    await expect(other.call('com.hidden', [], {}, { disclose_me: true })).rejects.toMatchObject(refused)
    await other.call('com.shown.x', [], {}, { disclose_me: true })
    const asked = { disclose_me: true, acknowledge: true }
    await expect(other.publish('com.hidden', [], {}, asked)).rejects.toMatchObject(refused)
    await expect(one.register('com.new', note, { disclose_caller: true })).rejects.toMatchObject(refused)
  })

  test('controlOthers gives every session control, as without rules', async () => {
    const { join } = opened({ controlOthers: true })
    const [operator, other] = [await join('operator'), await join('admin')]
    await other.register('com.service', () => 'other')
    await operator.register('com.service', () => 'operator', { force_reregister: true })
    expect(await other.call('com.service')).toBe('operator')
    await operator.call('wamp.session.kill', [other.session.id])
    await expect.poll(() => other.state, { interval: 2 }).not.toBe('ready')
  })
})

test('a caller is disclosed by a rule with disclose', async () => {
  const { join } = opened()
  const [user, admin] = [await join('user'), await join('admin')]
  let caller: unknown
  await admin.register('com.app.who', (_args, _kwargs, details) => {
    caller = details.caller_authid
    return 1
  })
  await user.call('com.app.who')
  expect(caller).toBe('user')
})

describe('invalid rules are refused at construction', () => {
  test.each<[string, unknown, RegExp]>([
    ['no name', [{ permissions: [] }], /a role has a name/],
    ['both', [{ name: 'a', permissions: [], authorizer: 'a.b' }], /either permissions or an authorizer/],
    ['neither', [{ name: 'a' }], /either permissions or an authorizer/],
    [
      'twice',
      [
        { name: 'a', permissions: [] },
        { name: 'a', permissions: [] },
      ],
      /names the role "a" twice/,
    ],
    ['a typo', [{ name: 'a', permission: [] }], /has no option "permission"/],
    ['a typo in a rule', [{ name: 'a', permissions: [{ uri: 'a', alow: {} }] }], /has no option "alow"/],
    [
      'an unknown action',
      [{ name: 'a', permissions: [{ uri: 'a', allow: { calls: true } }] }],
      /has no option "calls"/,
    ],
    ['an unknown match', [{ name: 'a', permissions: [{ uri: 'a', match: 'regex' }] }], /match must be/],
    ['an invalid URI', [{ name: 'a', permissions: [{ uri: 'a..b' }] }], /"a\.\.b" of the role "a" is not a valid URI/],
    [
      'two rules for one pattern',
      [
        {
          name: 'a',
          permissions: [
            { uri: 'a.*', allow: { call: true } },
            { uri: 'a.', match: 'prefix' },
          ],
        },
      ],
      /the role "a" has two rules for "a\.", match: prefix/,
    ],
    ['an invalid authorizer', [{ name: 'a', authorizer: 'a..b' }], /"a\.\.b" is not a valid URI of a procedure/],
    ['an unknown realm', { other: [] }, /"other", which is not one of its realms/],
  ])('%s', (_, authorize, expected) => {
    expect(() => new Router({ authorize } as never)).toThrow(
      expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(expected) }),
    )
  })
})
