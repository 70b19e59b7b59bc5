/** A renewed certificate: new connections see it, the open ones stay and lose nothing. */

import { createServer } from 'node:https'
import { connect } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WampClient, WampRouter } from 'wampy-ts'
import { dial, rawSocketDial, type ServeOptions, serve, serveRawSocket, type TlsRenewal } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { cert, key, strangers } from './certificate.ts'

interface Serving {
  readonly url: string
  readonly port: number
  renewTls(renewal: TlsRenewal): void
}

async function served(kind: string, tls: ServeOptions['tls'] | null = { key, cert }): Promise<Serving> {
  const router = new Router()
  const options = { port: 0, ...(tls && { tls }) }
  const server = await (kind === 'serve' ? serve : serveRawSocket)(router, options)
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  return server
}

/** The name in the certificate that a new connection sees, and the version of TLS. */
function seen(port: number, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      resolve(`${socket.getPeerCertificate().subject.CN} ${socket.getProtocol()}`)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

const dials = { serve: dial, serveRawSocket: rawSocketDial }

describe.each(['serve', 'serveRawSocket'] as const)('%s', (kind) => {
  async function joined(url: string) {
    const router = new WampRouter({ url, dial: dials[kind]({ rejectUnauthorized: false }) })
    const client = new WampClient({ router, reconnect: false })
    onTestFinished(() => client.stop())
    await client.start()
    return client
  }

  test('new connections see a renewed certificate, and sessions under load stay', async () => {
    const { url, port, renewTls } = await served(kind)
    expect(await seen(port)).toBe('localhost TLSv1.3')
    const [callee, caller] = [await joined(url), await joined(url)]
    await callee.register('com.echo', ([n]) => n as number)
    const sessions = [callee.session.id, caller.session.id]
    const answers: Promise<number>[] = []
    for (let round = 0; round < 10; round++) {
      for (let n = 0; n < 100; n++) answers.push(caller.call<number>('com.echo', [answers.length]))
      const old = round % 2 === 0
      renewTls(old ? strangers : { key, cert })
      expect(await seen(port)).toBe(`${old ? 'stranger' : 'localhost'} TLSv1.3`)
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
    expect([callee.session.id, caller.session.id]).toEqual(sessions)
    const late = await joined(url)
    expect(await late.call('com.echo', [7])).toBe(7)
  })

  test('a certificate that cannot be used changes nothing', async () => {
    const { port, renewTls } = await served(kind)
    for (const wrong of [{ key, cert: strangers.cert }, { key: 'x', cert: 'y' }, { pfx: Buffer.from('x') }]) {
      expect(() => renewTls(wrong)).toThrow(
        /^renewTls cannot use this key and certificate: .*; the old ones stay in use$/,
      )
      expect(await seen(port)).toBe('localhost TLSv1.3')
    }
    expect(() => renewTls({ key })).toThrow('renewTls needs key and cert, or pfx')
    expect(() => renewTls({ key, cert: 7 } as never)).toThrow('renewTls: cert must be the content of a file')
    expect(() => renewTls({ key, cert, requestCert: true } as never)).toThrow('renewTls has no option "requestCert"')
    renewTls(strangers)
    expect(await seen(port)).toBe('stranger TLSv1.3')
  })

  test('the other options of TLS stay', async () => {
    const { port, renewTls } = await served(kind, { key, cert, maxVersion: 'TLSv1.2' })
    renewTls(strangers)
    expect(await seen(port)).toBe('stranger TLSv1.2')
  })

  test('TLS 1.1 is refused, unless the options allow it', async () => {
    // The ciphers of TLS 1.1 are below the security level of OpenSSL.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
    const { port, renewTls } = await served(kind, { key, cert, ciphers: old.ciphers })
    await expect(seen(port, old)).rejects.toMatchObject({ code: expect.stringMatching(/VERSION|ECONNRESET/) })
    renewTls(strangers)
    await expect(seen(port, old)).rejects.toMatchObject({ code: expect.stringMatching(/VERSION|ECONNRESET/) })
    const lenient = await served(kind, { key, cert, ciphers: old.ciphers, minVersion: 'TLSv1' })
    expect(await seen(lenient.port, old)).toBe('localhost TLSv1.1')
  })

  test('a server without TLS has no certificate to renew', async () => {
    const { renewTls } = await served(kind, null)
    expect(() => renewTls(strangers)).toThrow(/^renewTls: this server has no TLS of its own/)
  })
})

test('an existing server is renewed by its owner', async () => {
  const server = createServer({ key, cert })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const place = await serve(new Router(), { server })
  onTestFinished(() => place.close())
  expect(() => place.renewTls(strangers)).toThrow('renewed by its setSecureContext')
})
