import {
  anonymousAuth,
  fromProcedure,
  scramAuth,
  scramSecret,
  ticketAuth,
} from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

// `wampy-ts secret` prints what to store for a password.
const joe = { ...(await scramSecret('pencil', { iterations: 4096 })), role: 'user' }

const router = new Router({
  realms: ['shop'],
  auth: {
    shop: [
      scramAuth({ joe }),
      // A service of the realm decides about tickets; only a session with a principal in a table may register it.
      ticketAuth(fromProcedure('com.shop.authenticate')),
      anonymousAuth({ role: 'guest' }),
    ],
  },
  // The vocabulary of Crossbar.io. What no rule allows is denied.
  authorize: [
    {
      name: 'guest',
      permissions: [
        {
          uri: 'com.shop.catalog.',
          match: 'prefix',
          allow: { call: true, subscribe: true },
        },
      ],
    },
    {
      name: 'user',
      permissions: [
        {
          uri: 'com.shop.',
          match: 'prefix',
          allow: { call: true, subscribe: true },
          disclose: { caller: true },
        },
        { uri: 'com.shop.admin.', match: 'prefix', allow: {} },
      ],
    },
  ],
})
const { url, close } = await serve(router, { port: 0 })
console.log(`the shop is at ${url}`)
await close()
