/** The vectors of the specification and of RFC 7677, through the public API: a router by hand sends them. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { RpcClient } from 'wampy-ts'
import { type ClientAuth, cryptosign, scram, wampcra } from 'wampy-ts/auth'
import { deriveCraKey } from 'wampy-ts/auth/router'
import { ABORT, AUTHENTICATE, CHALLENGE, HELLO, scriptedRouter } from 'wampy-ts/testing'

afterEach(() => {
  vi.restoreAllMocks()
})

/** The answer of a client to a CHALLENGE, and its verdict on the WELCOME after it. */
async function answerTo(
  auth: ClientAuth,
  extra: object | ((authextra: Record<string, unknown>) => object),
  authextra: object = {},
): Promise<{ signature: unknown; extra: unknown; joined: boolean }> {
  let answer: readonly unknown[] = []
  const router = scriptedRouter((message, peer) => {
    if (message[0] === HELLO) {
      const hello = message[2] as { authextra: Record<string, unknown> }
      peer.send([CHALLENGE, auth.method, typeof extra === 'function' ? extra(hello.authextra) : extra])
    } else if (message[0] === AUTHENTICATE) {
      answer = message
      peer.send([2, 1, { roles: { broker: {}, dealer: {} }, authextra }])
    } else if (message[0] !== ABORT) peer.send([6, {}, 'wamp.close.goodbye_and_out'])
  })
  const client = new RpcClient({ router, auth: [auth], reconnect: false })
  const joined = await client.start().then(
    () => true,
    () => false,
  )
  await client.stop()
  return { signature: answer[1], extra: answer[2], joined }
}

describe('WAMP-CRA', () => {
  const challenge = '{"nonce":"n1","authid":"peter"}'

  test('with a plain secret', async () => {
    const { signature } = await answerTo(wampcra('peter', 'secret1'), { challenge })
    expect(signature).toBe('AhwCj/qdeF9UTmi8TIc2bl9Zuam/Mzz95g0h3FveU7s=')
  })

  test('with a salted secret', async () => {
    const salted = { salt: 'salt123', iterations: 1000, keylen: 32 }
    expect(await deriveCraKey('secret1', salted)).toBe('64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=')
    const { signature } = await answerTo(wampcra('peter', 'secret1'), { challenge, ...salted })
    expect(signature).toBe('dynxdwX5MfSMDSsgjF6B1zSRerJgWzvNhOkZz8vYuWc=')
  })
})

describe('SCRAM', () => {
  // RFC 7677, section 3. Its nonce is not base64 of random bytes, so the random bytes are those of this text.
  const nonce = 'rOprNGfwEbeRWgbNEkqO'

  test.each([
    ['accepts the verifier', '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', true],
    [
      'accepts it with the prefix of the specification’s example',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
      true,
    ],
    ['rejects another verifier', '7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', false],
  ])('RFC 7677: proves the password and %s', async (_, verifier, accepted) => {
    vi.spyOn(globalThis, 'btoa').mockImplementationOnce(() => nonce)
    const full = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
    const extra = { nonce: full, salt: 'W22ZaJ0SNY7soEsUEjb6gQ==', kdf: 'pbkdf2', iterations: 4096, memory: null }
    const answer = await answerTo(scram('user', 'pencil'), extra, { verifier })
    expect(answer).toEqual({
      signature: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      extra: { nonce: full, channel_binding: null },
      joined: accepted,
    })
  })
})

const ID = '62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff'

describe('Cryptosign', () => {
  test.each([
    [
      undefined,
      '4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510',
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      'b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ],
    [
      undefined,
      'd511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd',
      'b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d',
      'd4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660fb26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d',
    ],
    [
      undefined,
      '6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b',
      'b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2',
      '7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1ec184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30bb05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2',
    ],
    [
      ID,
      '4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510',
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      '9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00',
    ],
    [
      ID,
      'd511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd',
      'b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d',
      '305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a427c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282',
    ],
    [
      ID,
      '6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b',
      'b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2',
      'ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d',
    ],
  ])('signs %#', async (id, key, challenge, signature) => {
    const signer = cryptosign({ key, ...(id && { channelBinding: 'tls-exporter' }) })
    if (!id) {
      expect((await answerTo(signer, { challenge, channel_binding: null })).signature).toBe(signature)
      return
    }
    const bytes = Uint8Array.from(id.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
    const attempt = await signer.begin({
      realm: 'realm1',
      signal: new AbortController().signal,
      channelBinding: () => bytes,
    })
    const hello = { authextra: attempt.authextra ?? {} }
    const answer = await attempt.answer?.({ challenge, channel_binding: 'tls-exporter' }, hello)
    expect(answer?.signature).toBe(signature)
  })
})
