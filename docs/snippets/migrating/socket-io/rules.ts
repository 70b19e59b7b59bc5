import { anonymousAuth, ticketAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

export const router = new Router({
  auth: [
    ticketAuth({
      shop: {
        ticket: 'a long random text, from a file or the environment',
        role: 'service',
      },
    }),
    anonymousAuth({ role: 'page' }),
  ],
  authorize: [
    {
      name: 'page',
      permissions: [
        { uri: 'com.example.', match: 'prefix', allow: { call: true, subscribe: true } },
      ],
    },
    {
      name: 'service',
      permissions: [
        {
          uri: 'com.example.',
          match: 'prefix',
          allow: { call: true, subscribe: true, register: true, publish: true },
        },
      ],
    },
  ],
})
