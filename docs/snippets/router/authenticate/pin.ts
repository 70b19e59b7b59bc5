import { RpcClient } from 'wampy-ts'
import { clientAuth } from 'wampy-ts/auth'
import { type AuthMethod, WampError } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const pin = (authid: string, ask: (hint: string) => Promise<string>) =>
  clientAuth({
    method: 'pin',
    begin: () => ({
      authid,
      answer: async ({ hint }) => ({ signature: await ask(String(hint)), extra: {} }),
    }),
  })

const pinAuth = (
  isRight: (authid: string, pin: string) => boolean | Promise<boolean>,
): AuthMethod => ({
  name: 'pin',
  async *authenticate({ authid = '' }) {
    for (const hint of ['your PIN', 'your PIN again', 'your PIN, for the last time']) {
      const { signature } = yield { extra: { hint } }
      if (await isRight(authid, signature)) return { authid, authrole: 'user' }
    }
    throw new WampError('wamp.error.authentication_failed', ['three PINs were wrong'])
  },
})

const router = new Router({
  auth: [pinAuth((authid, pin) => authid === 'joe' && pin === '1234')],
})
const typed = ['4321', '1234']
await using client = new RpcClient({
  router,
  auth: [pin('joe', async () => typed.shift() ?? '')],
})
await client.start()
console.log(client.session.authid, client.session.authrole, client.session.authmethod) // joe user pin
