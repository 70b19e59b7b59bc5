/**
 * Failed logins, with an unknown name and with a wrong secret: the router's time for both, as medians of logins that take
 * turns, and how failed logins of both kinds are slowed down.
 */

import { type AuthMethod, cryptosignAuth, scramAuth, scramSecret, ticketAuth, wampcraAuth } from 'wampy-ts/auth/router'
import { type Link, Router, type RouterOptions } from 'wampy-ts/router'
import { ABORT, AUTHENTICATE, CHALLENGE, HELLO, WELCOME } from 'wampy-ts/testing'
import type { HelloDetails } from '../../src/protocol/options.ts'

type Sink = Parameters<Link['open']>[0]

/** A client's half that takes no time: its answers are wrong, but look like right ones. */
interface Stranger {
  readonly method: AuthMethod
  readonly hello?: object
  answer(extra: Readonly<Record<string, unknown>>): readonly [signature: string, extra: object]
}

const PEOPLE = 100
const names = (prefix: string): string[] => Array.from({ length: PEOPLE }, (_, n) => `${prefix}${100 + n}`)
const KNOWN = names('k')
const UNKNOWN = names('u')
const base64 = (length: number): string => Buffer.alloc(length, 7).toString('base64')

/** Strangers by method, against a table of a hundred principals. */
async function strangers(): Promise<Readonly<Record<string, Stranger>>> {
  const table = <P>(principal: P): Record<string, P> => Object.fromEntries(KNOWN.map((name) => [name, principal]))
  const nonce = base64(24)
  return {
    ticket: {
      method: ticketAuth(table({ ticket: 'a ticket that nobody guesses' })),
      answer: () => ['a ticket that somebody tries', {}],
    },
    'wampcra, salted': {
      method: wampcraAuth(table({ secret: base64(32), salt: 'a salt of the principal', iterations: 1000, keylen: 32 })),
      answer: () => [base64(32), {}],
    },
    'scram, pbkdf2': {
      method: scramAuth(table(await scramSecret('a secret', { iterations: 4096 }))),
      hello: { nonce },
      answer: (extra) => [base64(32), { nonce: extra['nonce'], channel_binding: null }],
    },
    cryptosign: {
      method: cryptosignAuth(table({ authorized_keys: ['07'.repeat(32)] })),
      hello: { pubkey: '07'.repeat(32), channel_binding: null },
      answer: (extra) => ['07'.repeat(64) + String(extra['challenge']), {}],
    },
  }
}

interface Failed {
  /** Milliseconds from HELLO to ABORT. */
  readonly time: number
  readonly text: string
}

/** One failed login, without a wire. */
function failedLogin(router: Router, stranger: Stranger, authid: string, address: string): Promise<Failed> {
  return new Promise((resolve, reject) => {
    let sink: Sink | undefined
    let closed = false
    const close = (): void => {
      if (closed) return
      closed = true
      sink?.closed({ code: 1000, reason: '' })
    }
    const link: Link = {
      backlog: 0,
      open: (opened) => {
        sink = opened
      },
      send: (message) => {
        if (message[0] === CHALLENGE) {
          const [signature, extra] = stranger.answer(message[2])
          queueMicrotask(() => sink?.message([AUTHENTICATE, signature, extra as Record<string, unknown>]))
        } else if (message[0] === ABORT) {
          resolve({ time: performance.now() - began, text: `${message[2]}: ${message[1].message}` })
        } else if (message[0] === WELCOME) reject(new Error(`a wrong secret of ${authid} was accepted`))
      },
      close,
      terminate: close,
    }
    router.attach(link, { type: 'bench' }, { address })
    const began = performance.now()
    const { name } = stranger.method
    const details = { roles: { caller: {} }, authmethods: [name], authid, authextra: stranger.hello ?? {} }
    sink?.message([HELLO, 'realm1', details as HelloDetails])
  })
}

export interface Comparison {
  readonly method: string
  /** Medians in microseconds. */
  readonly unknown: number
  readonly wrong: number
  /** The difference of the medians, and the one that random halves of the same logins exceed in one of a thousand cases. */
  readonly difference: number
  readonly noise: number
  readonly texts: readonly string[]
}

/** Compares `count` logins of either kind, which take turns in a random order. */
export async function compareLogins(count: number): Promise<Comparison[]> {
  const found: Comparison[] = []
  for (const [name, stranger] of Object.entries(await strangers())) {
    const router = new Router({ auth: [stranger.method], loginLimits: false })
    const times = { unknown: new Float64Array(count), wrong: new Float64Array(count) }
    const texts = new Set<string>()
    for (let n = -200; n < count; n++) {
      const kinds = Math.random() < 0.5 ? (['unknown', 'wrong'] as const) : (['wrong', 'unknown'] as const)
      for (const kind of kinds) {
        const authid = (kind === 'unknown' ? UNKNOWN : KNOWN)[(n + 200) % PEOPLE] as string
        const { time, text } = await failedLogin(router, stranger, authid, '192.0.2.1')
        // The first ones are for the compilers.
        if (n >= 0) times[kind][n] = time * 1000
        texts.add(text)
      }
    }
    const [unknown, wrong] = [middle(times.unknown), middle(times.wrong)]
    const difference = Math.abs(unknown - wrong)
    found.push({ method: name, unknown, wrong, difference, noise: noiseOf(times), texts: [...texts] })
    await router.close()
  }
  return found
}

function middle(values: Float64Array): number {
  const sorted = values.slice().sort()
  const at = sorted.length >> 1
  return sorted.length % 2 ? (sorted[at] as number) : ((sorted[at - 1] as number) + (sorted[at] as number)) / 2
}

const DRAWS = 2000

/** The difference of medians that pure chance exceeds in one of a thousand cases: the kinds of all logins are drawn anew. */
function noiseOf({ unknown, wrong }: { readonly unknown: Float64Array; readonly wrong: Float64Array }): number {
  const differences = Array.from({ length: DRAWS }, () => {
    const [one, other] = [unknown.slice(), wrong.slice()]
    for (let at = 0; at < one.length; at++) {
      if (Math.random() < 0.5) [one[at], other[at]] = [other[at] as number, one[at] as number]
    }
    return Math.abs(middle(one) - middle(other))
  })
  return differences.sort((a, b) => b - a)[Math.ceil(DRAWS / 1000)] as number
}

export interface Slowed {
  readonly kind: 'unknown' | 'wrong'
  /** Milliseconds to the ABORT of each attempt. */
  readonly times: readonly number[]
  readonly texts: readonly string[]
}

const ATTEMPTS = 8
/** The delays of the compared limiter in milliseconds, each twice the one before. */
export const DELAYS = [100, 200, 400] as const

/** How the limiter slows attempts with an unknown name and with a wrong secret, from one address and to one name each. */
export async function compareDelays(address: string): Promise<Slowed[]> {
  const { ticket } = await strangers()
  const loginLimits: RouterOptions['loginLimits'] = { free: 3, delay: DELAYS[0], maxDelay: DELAYS[2], maxLock: 60_000 }
  return Promise.all(
    (['unknown', 'wrong'] as const).map(async (kind) => {
      const router = new Router({ auth: [(ticket as Stranger).method], loginLimits })
      const name = (kind === 'unknown' ? UNKNOWN : KNOWN)[0] as string
      const attempts: Failed[] = []
      for (let n = 0; n < ATTEMPTS; n++) attempts.push(await failedLogin(router, ticket as Stranger, name, address))
      await router.close()
      return { kind, times: attempts.map(({ time }) => time), texts: attempts.map(({ text }) => text) }
    }),
  )
}
