/** Login by passkey: HTTP for the ceremony, which ends in a cookie, and a router that the cookie opens. */

import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { files } from '../files.ts'
import { passkeyAuth, WebSessions } from './passkey-auth.ts'
import { credentialFrom, Passkeys } from './passkeys.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8000' } } })

const sessions = new WebSessions()
const router = new Router({ auth: [passkeyAuth(sessions)] })
const server = createServer()
await new Promise<void>((resolve, reject) => {
  server.on('error', reject)
  server.listen(Number(values.port), '127.0.0.1', resolve)
})
// Browsers allow passkeys over https, and over http from localhost; not from an IP address.
const origin = `http://localhost:${(server.address() as AddressInfo).port}`
const passkeys = new Passkeys(origin)
const page = files(fileURLToPath(new URL('page', import.meta.url)))
/** Files of other folders, by path and content type. */
const SHARED: Record<string, readonly [file: string, type: string]> = {
  '/wampy.min.js': ['../../dist/wampy.min.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['../page/icon.svg', 'image/svg+xml'],
}

interface Answer {
  readonly status?: number
  readonly body?: object
  /** The value of the cookie; empty to remove it. */
  readonly sid?: string
}

const BODY_LIMIT = 65_536

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_LIMIT) throw new Error('the body is too long')
  }
  return JSON.parse(text || '{}')
}

/** The cookie `sid` of a request. */
const sidOf = ({ headers }: IncomingMessage): string | undefined =>
  /(?:^|; *)sid=([^;]*)/.exec(headers.cookie ?? '')?.[1]

const ACTIONS: Record<string, (request: IncomingMessage, body: unknown) => Answer> = {
  '/passkey/session': (request) => ({ body: { user: sessions.find(sidOf(request)) ?? null } }),

  '/passkey/challenge': () => ({ body: { challenge: passkeys.challenge(), rpId: passkeys.rpId } }),

  '/passkey/register': (_request, body) => {
    const { name, credential } = Object(body)
    if (typeof name !== 'string' || !/^[\p{L}\p{N} ._-]{1,64}$/u.test(name))
      throw new Error('a name has 1 to 64 letters')
    passkeys.register(name, credentialFrom(credential))
    return { sid: sessions.begin(name) }
  },

  '/passkey/login': (_request, body) => ({ sid: sessions.begin(passkeys.login(credentialFrom(body))) }),

  '/passkey/logout': (request) => {
    sessions.end(sidOf(request))
    return { sid: '' }
  },
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const action = ACTIONS[request.url ?? '']
  if (!action) return { status: 404, body: { error: 'there is nothing here' } }
  // Browsers state the origin of every POST: no other page may log anybody in or out.
  if (request.method !== 'POST' || request.headers.origin !== origin) {
    return { status: 403, body: { error: 'only for pages of this server' } }
  }
  try {
    return action(request, await bodyOf(request))
  } catch (error) {
    return { status: 400, body: { error: (error as Error).message } }
  }
}

const listener: RequestListener = async (request, response) => {
  const [file, type] = SHARED[request.url ?? ''] ?? []
  if (file !== undefined && type !== undefined) {
    response.setHeader('Content-Type', type)
    response.end(await readFile(new URL(file, import.meta.url)))
  } else if (request.url?.startsWith('/passkey/')) {
    const { status = 200, body = {}, sid } = await answer(request)
    // Over https, add `Secure`.
    if (sid !== undefined) {
      response.setHeader('Set-Cookie', `sid=${sid}; Path=/; HttpOnly; SameSite=Strict${sid ? '' : '; Max-Age=0'}`)
    }
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    response.end(JSON.stringify(body))
  } else page(request, response)
}
server.on('request', listener)

const served = await serve(router, { server })
console.log(`log in with a passkey on ${origin}/`)

process.once('SIGTERM', async () => {
  await router.close()
  await served.close()
  server.close()
  server.closeAllConnections()
})
