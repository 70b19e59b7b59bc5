/** Every method between our client and our router: over each transport, by each serializer, and every way to fail. */

import { describe, expect, test } from 'vitest'
import type { WampError } from 'wampy-ts'
import { anonymous, clientAuth, cryptosign, scram, ticket, wampcra } from 'wampy-ts/auth'
import {
  type AuthMethod,
  anonymousAuth,
  deriveCraKey,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { cost, keys, pairs, role } from './pairs.ts'
import { login, refusal, served } from './support.ts'

const FAILED = 'wamp.error.authentication_failed'

describe.each(Object.entries(pairs))('%s', (_, make) => {
  test('an unknown principal and a wrong secret get the same ABORT', async () => {
    const { router, wrong, unknown } = await make()
    const server = await served({ auth: [router], loginLimits: false })
    const answers: unknown[] = []
    for (const auth of [wrong, unknown]) {
      const { uri, message } = await refusal(server, [auth])
      answers.push({ uri, message })
    }
    expect(answers).toEqual(Array(2).fill({ uri: FAILED, message: 'the credentials are not valid here' }))
  })
})

test.each([
  ['hexadecimal digits', '0123456789abcdef01', /^[0-9a-f]{18}$/],
  ['base64', 'c2FsdCBvZiBqb2U=', /^[0-9A-Za-z+/=]{16}$/],
])('the salt of an unknown principal looks like that of a principal, in %s', async (_, salt, expected) => {
  const server = await served({
    auth: [wampcraAuth({ joe: { secret: await deriveCraKey('a', { salt }), salt } })],
    loginLimits: false,
  })
  const salts: unknown[] = []
  const listening = (authid: string) =>
    clientAuth({
      method: 'wampcra',
      begin: () => ({
        authid,
        answer: (extra) => {
          salts.push(extra['salt'])
          return { signature: 'wrong', extra: {} }
        },
      }),
    })
  for (const authid of ['joe', 'jim', 'jim']) await refusal(server, [listening(authid)])
  expect(salts).toEqual([salt, expect.stringMatching(expected), salts[1]])
  expect(salts[1]).not.toBe(salt)
})

describe('the offer', () => {
  const joe = ticketAuth({ joe: { ticket: 'a', role } })

  test('the router takes the first of the client’s methods that it has', async () => {
    const server = await served({ auth: [anonymousAuth({ role: 'guest' }), joe] })
    expect(await login(server, [wampcra('joe', 'b'), ticket('joe', 'a'), anonymous()])).toMatchObject({ authid: 'joe' })
    expect(await login(server, [anonymous(), ticket('joe', 'a')])).toMatchObject({ authrole: 'guest' })
    expect(await login(server, [])).toMatchObject({ authmethod: 'anonymous', authrole: 'guest' })
  })

  test('a router without any of them refuses, and lists its methods', async () => {
    const server = await served({ auth: [joe] })
    const { uri, message } = await refusal(server, [wampcra('joe', 'b')])
    expect(uri).toBe('wamp.error.no_matching_auth_method')
    expect(message).toContain('ticket')
    expect(await refusal(server, [])).toMatchObject({ uri: 'wamp.error.authentication_required' })
  })

  test('methods are those of the realm', async () => {
    const server = await served({ realms: ['open', 'shut'], auth: { open: [anonymousAuth()], shut: [joe] } })
    expect(await login(server, [], { realm: 'open' })).toMatchObject({ authmethod: 'anonymous' })
    expect(await refusal(server, [], { realm: 'shut' })).toMatchObject({ uri: 'wamp.error.authentication_required' })
    expect(await login(server, [ticket('joe', 'a')], { realm: 'shut' })).toMatchObject({ authid: 'joe' })
  })

  test('two authids are a usage error, and so are colliding keys of authextra', async () => {
    const server = await served({ auth: [joe] })
    const two = await refusal(server, [ticket('joe', 'a'), wampcra('jim', 'b')])
    expect(two).toMatchObject({ uri: 'wampy.error.usage', message: expect.stringMatching(/wampcra.*"jim".*"joe"/) })
    const bound = cryptosign({ authid: 'joe', key: keys.privateKey, channelBinding: 'tls-exporter' })
    const colliding = await refusal(server, [bound, scram('joe', 'b', { channelBinding: 'tls-unique' })])
    expect(colliding).toMatchObject({
      uri: 'wampy.error.usage',
      message: expect.stringMatching(/authextra\.channel_binding.*tls-unique.*tls-exporter/),
    })
  })

  test('two methods may use the same field of HELLO', async () => {
    const secret = { ...(await scramSecret('b', cost)), role }
    const server = await served({ auth: [scramAuth({ joe: secret })] })
    const auth = [
      cryptosign({ authid: 'joe', key: keys.privateKey }),
      scram('joe', 'b', { dialect: 'crossbar' }),
      scram('joe', 'b'),
    ]
    expect(await login(server, auth)).toMatchObject({ authmethod: 'wamp-scram' })
  })
})

describe('credentials', () => {
  const server = () => served({ auth: [ticketAuth({ joe: { ticket: 'a' } })] })

  test('are requested again at each attempt', async () => {
    const place = await server()
    const given = ['a', 'wrong']
    const auth = [ticket('joe', () => given.shift() ?? '')]
    await login(place, auth)
    expect(await refusal(place, auth)).toMatchObject({ uri: FAILED })
    expect(given).toEqual([])
  })

  test.each<[string, () => string, Partial<WampError>]>([
    [
      'that cannot be had end the attempts',
      () => {
        throw new Error('no token today')
      },
      { uri: FAILED, message: 'the authentication method ticket failed: no token today' },
    ],
    [
      'may say that another attempt makes sense',
      () => {
        throw Object.assign(new Error('offline'), { retry: true })
      },
      { uri: 'wampy.error.connection_failed' },
    ],
    [
      'of a wrong type are not shown',
      () => 4711 as never,
      { uri: 'wampy.error.usage', message: 'ticket needs the ticket as text, got number' },
    ],
  ])('%s', async (_, secret, expected) => {
    expect(await refusal(await server(), [ticket('joe', secret)])).toMatchObject(expected)
  })

  test('an error with `retry` makes the client try again', async () => {
    const { url } = await server()
    let failures = 2
    const auth = ticket('joe', () => {
      if (failures-- > 0) throw Object.assign(new Error('offline'), { retry: true })
      return 'a'
    })
    const { clientWith } = await import('./support.ts')
    const client = clientWith([auth], { router: url, reconnect: () => 1 })
    await client.start()
    expect(client.session.authid).toBe('joe')
  })
})

describe('a client', () => {
  test('changes its credentials and logs out at run time', async () => {
    const { url } = await served({
      auth: [ticketAuth({ joe: { ticket: 'a' }, jim: { ticket: 'b' } }), anonymousAuth()],
    })
    const { clientWith } = await import('./support.ts')
    const client = clientWith([ticket('joe', 'a')], { router: url })
    await client.start()
    expect(client.session.authid).toBe('joe')
    await client.logout()
    expect(client.state).toBe('stopped')
    expect(client.auth).toEqual([])
    client.auth = [ticket('jim', 'wrong')]
    await expect(client.start()).rejects.toMatchObject({ uri: FAILED })
    client.auth = [ticket('jim', 'b')]
    await client.start()
    expect(client.session).toMatchObject({ authid: 'jim', authmethod: 'ticket', authrole: 'user' })
    expect(() => {
      client.auth = 'swordfish' as never
    }).toThrow(/^auth must be a list of methods of wampy-ts\/auth, such as \[ticket\('joe', password\)\]$/)
  })

  test('receives the extra of its principal, which no other peer receives', async () => {
    const server = await served({ auth: [ticketAuth({ joe: { ticket: 'a', extra: { quota: 7 }, authid: 'joseph' } })] })
    const session = await login(server, [ticket('joe', 'a')])
    expect(session).toMatchObject({ authid: 'joseph', authextra: { quota: 7 } })
  })

  test('whose credentials expire joins again with fresh ones', async () => {
    let logins = 0
    const expiring: AuthMethod = {
      name: 'ticket',
      async *authenticate() {
        const { signature } = yield {}
        logins++
        return { authid: signature, authrole: 'user', expires: logins === 1 ? Date.now() + 20 : undefined }
      },
    }
    const { url } = await served({ auth: [expiring] })
    const { clientWith } = await import('./support.ts')
    const client = clientWith([ticket('joe', () => `token ${logins + 1}`)], { router: url, reconnect: () => 1 })
    await client.start()
    const [cause] = await new Promise<WampError[]>((resolve) => client.once('lost', (...args) => resolve(args)))
    expect(cause).toMatchObject({ uri: 'wampy.close.credentials_expired' })
    await new Promise((resolve) => client.once('ready', resolve))
    expect(client.session.authid).toBe('token 2')
  })
})
