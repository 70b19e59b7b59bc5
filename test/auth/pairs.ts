/** Each method that needs no special connection: a router's half, and clients with the right, a wrong and an unknown secret. */

import { type ClientAuth, cryptosign, generateKey, scram, ticket, wampcra } from 'wampy-ts/auth'
import {
  type AuthMethod,
  cryptosignAuth,
  deriveCraKey,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'

export const role = 'reckoner'
export const keys = await generateKey()
const others = await generateKey()
export const routerKeys = await generateKey()
const salt = { salt: 'salt123', iterations: 100, keylen: 32 }
export const cost = { kdf: 'pbkdf2', iterations: 4096 } as const

export interface Pair {
  readonly router: AuthMethod
  readonly right: ClientAuth
  readonly wrong: ClientAuth
  readonly unknown: ClientAuth
}

/** The name begins with that of the method. */
export const pairs: Readonly<Record<string, () => Promise<Pair>>> = {
  ticket: async () => ({
    router: ticketAuth({ joe: { ticket: 'secret!!!', role } }),
    right: ticket('joe', 'secret!!!'),
    wrong: ticket('joe', 'secret!!'),
    unknown: ticket('jim', 'secret!!!'),
  }),
  wampcra: async () => ({
    router: wampcraAuth({ joe: { secret: 'secret1', role } }),
    right: wampcra('joe', 'secret1'),
    wrong: wampcra('joe', 'secret2'),
    unknown: wampcra('jim', 'secret1'),
  }),
  'wampcra, salted': async () => ({
    router: wampcraAuth({ joe: { secret: await deriveCraKey('secret1', salt), ...salt, role } }),
    right: wampcra('joe', async () => 'secret1'),
    wrong: wampcra('joe', 'secret2'),
    unknown: wampcra('jim', 'secret1'),
  }),
  'wampcra, salted, of Crossbar.io': async () => ({
    router: wampcraAuth({ joe: { secret: 'secret1', ...salt, role } }, { dialect: 'crossbar' }),
    right: wampcra('joe', 'secret1'),
    wrong: wampcra('joe', 'secret2'),
    unknown: wampcra('jim', 'secret1'),
  }),
  'wamp-scram': async () => ({
    router: scramAuth({ joe: { ...(await scramSecret('pencil', cost)), role } }),
    right: scram('joe', 'pencil'),
    wrong: scram('joe', 'pen'),
    unknown: scram('jim', 'pencil'),
  }),
  'wamp-scram with argon2id13': async () => {
    const secret = await scramSecret('pencil', { kdf: 'argon2id13', iterations: 8, memory: 512 })
    return {
      router: scramAuth({ joe: { ...secret, role } }),
      right: scram('joe', 'pencil'),
      wrong: scram('joe', 'pen'),
      unknown: scram('jim', 'pencil'),
    }
  },
  'scram of Crossbar.io': async () => ({
    router: scramAuth(
      { joe: { ...(await scramSecret('pencil', { ...cost, dialect: 'crossbar' })), role } },
      { dialect: 'crossbar' },
    ),
    right: scram('joe', 'pencil', { dialect: 'crossbar' }),
    wrong: scram('joe', 'pen', { dialect: 'crossbar' }),
    unknown: scram('jim', 'pencil', { dialect: 'crossbar' }),
  }),
  cryptosign: async () => ({
    router: cryptosignAuth({ joe: { authorized_keys: [keys.publicKey.toUpperCase()], role } }),
    right: cryptosign({ key: keys.privateKey }),
    wrong: cryptosign({ authid: 'joe', key: others.privateKey }),
    unknown: cryptosign({ key: others.privateKey }),
  }),
  'cryptosign, with the router proving itself': async () => ({
    router: cryptosignAuth({ joe: { authorized_keys: [keys.publicKey], role } }, { key: routerKeys.privateKey }),
    right: cryptosign({ authid: 'joe', key: keys.privateKey, routerKey: routerKeys.publicKey }),
    wrong: cryptosign({ authid: 'joe', key: others.privateKey, routerKey: routerKeys.publicKey }),
    unknown: cryptosign({ authid: 'jim', key: keys.privateKey, routerKey: routerKeys.publicKey }),
  }),
}

/** The method in the name of a pair. */
export const methodIn = (name: string): string => name.split(/,| with| of/)[0] as string
