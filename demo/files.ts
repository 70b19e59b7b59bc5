/** Serves the files of one folder over HTTP, and nothing outside of it. */

import { readFile, realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json; charset=utf-8',
}

const HEADERS = {
  // Everything comes from this origin, the WebSocket too; nothing is inline.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

type Answer = { status: number; headers?: Record<string, string>; body: string | Buffer }

const plain = (status: number, text: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
  body: `${text}\n`,
})

export function files(folder: string): RequestListener {
  return (request, response) => {
    answer(folder, request)
      .catch(() => plain(500, 'The file could not be read.'))
      .then((found) => send(request, response, found))
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...HEADERS, 'Content-Length': Buffer.byteLength(body), ...headers })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answer(folder: string, { method, url = '/' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD')
    return plain(405, 'This server accepts only GET and HEAD.', { Allow: 'GET, HEAD' })
  const [given = '/', query] = url.split('?', 2)
  let path: string
  try {
    path = decodeURIComponent(given)
  } catch {
    return plain(400, 'The URL is not well formed.')
  }
  const missing = plain(404, 'There is nothing here. The demo begins at /')
  if (!path.startsWith('/') || path.includes('\0')) return missing
  const root = await realpath(folder)
  // Resolved on the disk: neither dots nor a symbolic link may lead out of the folder.
  const found = await realpath(join(root, path)).catch(() => undefined)
  if (found === undefined || (found !== root && !found.startsWith(root + sep))) return missing
  if (!(await stat(found)).isDirectory()) return file(found, missing)
  // One slash at the front: two would be another host.
  const there = `/${given.replace(/^\/+/, '')}/${query === undefined ? '' : `?${query}`}`
  if (!path.endsWith('/')) return plain(301, `Moved to ${there}`, { Location: there })
  return file(join(found, 'index.html'), missing)
}

async function file(path: string, missing: Answer): Promise<Answer> {
  try {
    const type = TYPES[extname(path)] ?? 'application/octet-stream'
    return { status: 200, headers: { 'Content-Type': type }, body: await readFile(path) }
  } catch {
    return missing
  }
}
