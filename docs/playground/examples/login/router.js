import { anonymousAuth, ticketAuth } from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router({
  auth: [
    ticketAuth({
      shop: { ticket: 'open sesame', role: 'service' },
      ann: { ticket: 'pencil', role: 'customer' },
    }),
    anonymousAuth({ role: 'guest' }),
  ],

  // Called once for each call, registration, publication and
  // subscription.
  authorize({ session, action, uri }) {
    console.log(session.authrole, action, uri)
    if (session.authrole === 'service') return true
    if (action === 'call' && uri === 'com.example.shop.price')
      return true
    return (
      session.authrole === 'customer' &&
      action === 'call' && { allow: true, disclose: true }
    )
  },
})

await serve(router, { port: 8080 })
