/** Crossbar.io as a process of its own, on a port of its own, which ends with the test process in any case. */

import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { cert, key, strangers } from '../node/certificate.ts'

/** The realm that stores the last three events of `com.remembered`. */
export const REMEMBERING = 'remembering'

/** Booting takes about four seconds on a quiet machine. */
const BOOT = 90_000
const STOP = 30_000

export interface Crossbar extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly url: string
  /** The address of RawSocket. */
  readonly rawSocketUrl: string
  /** The address of long polling. */
  readonly longPollUrl: string
  /**
   * Ports that accept all protocols, one of them with TLS. Their WebSockets deflate, split messages into small frames, and
   * set a cookie.
   */
  readonly universal: { readonly host: string; readonly port: number }
  readonly secure: { readonly host: string; readonly port: number }
  /** A port whose clients need a certificate: that of localhost is Joe's, and another is not in its table. */
  readonly certified: { readonly host: string; readonly port: number }
  /** SIGKILL to all its processes. */
  kill(): Promise<void>
  /** SIGTERM, as an administrator's restart sends it. */
  terminate(): Promise<void>
  /** Again, on the same port. */
  start(): Promise<void>
  /** Its log. */
  readonly log: string
}

/** Starts it with the configuration of the tests, or another one for the same ports. */
export async function startCrossbar(configure: (ports: Ports, path: string) => object = config): Promise<Crossbar> {
  const program = find()
  const [port, universal, secure, certified] = (await freePorts(4)) as [number, number, number, number]
  const ports = { port, universal, secure, certified }
  const folder = mkdtempSync(join(tmpdir(), 'wampy-ts-crossbar-'))
  mkdirSync(join(folder, 'web'))
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'strangers.pem'), strangers.cert)
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configure(ports, join(folder, 'rs.sock'))))
  const removed = () => rmSync(folder, { recursive: true, force: true })
  const crossbar = new Node(program, folder, ports)
  try {
    await crossbar.start()
  } catch (error) {
    removed()
    throw error
  }
  return Object.assign(crossbar, {
    [Symbol.asyncDispose]: async () => {
      await crossbar.kill()
      removed()
    },
  })
}

// The shell stays in between: it passes SIGTERM on, and ends all when fd 3 closes with the end of the tests.
const KEEPER = `
"$@" &
crossbar=$!
trap 'kill -TERM "$crossbar"' TERM
{ read -r _ <&3; kill -KILL 0; } &
wait "$crossbar"
wait "$crossbar"
code=$?
echo "crossbar ended with code $code"
kill -KILL 0
`

class Node {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly universal: { readonly host: string; readonly port: number }
  readonly secure: { readonly host: string; readonly port: number }
  readonly certified: { readonly host: string; readonly port: number }
  readonly #program: string
  readonly #folder: string
  #process: ChildProcess | undefined
  log = ''

  constructor(program: string, folder: string, { port, universal, secure, certified }: Ports) {
    this.#program = program
    this.#folder = folder
    this.port = port
    this.universal = { host: this.host, port: universal }
    this.secure = { host: this.host, port: secure }
    this.certified = { host: this.host, port: certified }
  }

  get url(): string {
    return `ws://${this.host}:${this.port}/ws`
  }

  get rawSocketUrl(): string {
    return `unix:${join(this.#folder, 'rs.sock')}`
  }

  get longPollUrl(): string {
    return `http://${this.host}:${this.port}/lp`
  }

  async start(): Promise<void> {
    // A killed one leaves the file behind, and its number may belong to another process by now.
    rmSync(join(this.#folder, 'node.pid'), { force: true })
    const command = [this.#program, 'start', '--cbdir', this.#folder, '--color', 'false']
    const process = spawn('/bin/sh', ['-c', KEEPER, 'sh', ...command], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#process = process
    let log = ''
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${this.#program} ${what}:\n${log.slice(-4000)}`))
      const timer = setTimeout(() => fail(`did not boot within ${BOOT / 1000} s`), BOOT)
      const read = (chunk: Buffer): void => {
        log += chunk.toString()
        this.log += chunk.toString()
        // Its node is configured completely: the port accepts connections, and the path is served.
        if (log.includes('NODE_BOOT_COMPLETE')) resolve()
        else if (log.includes('crossbar ended with code')) fail('ended before it had booted')
      }
      process.stdout?.on('data', read)
      process.stderr?.on('data', read)
      process.on('error', reject)
      process.on('exit', () => {
        clearTimeout(timer)
        fail('ended before it had booted')
      })
    }).catch(async (error) => {
      await this.kill()
      throw error
    })
  }

  async kill(): Promise<void> {
    await this.#end(this.#process?.pid, 'SIGKILL', true)
  }

  async terminate(): Promise<void> {
    await this.#end(this.#process?.pid, 'SIGTERM', false)
  }

  async #end(pid: number | undefined, signal: NodeJS.Signals, group: boolean): Promise<void> {
    const process = this.#process
    if (!process || pid === undefined || process.exitCode !== null || process.signalCode !== null) return
    const gone = once(process, 'exit')
    const late = setTimeout(() => globalThis.process.kill(-pid, 'SIGKILL'), STOP)
    globalThis.process.kill(group ? -pid : pid, signal)
    await gone
    clearTimeout(late)
    this.#process = undefined
  }
}

/** The command in CROSSBAR, otherwise the one on the path. Without either the tests fail. */
function find(): string {
  const given = process.env['CROSSBAR']
  if (given) {
    if (isExecutable(given)) return given
    throw new Error(`CROSSBAR names ${given}, which is not an executable file.`)
  }
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'crossbar')
    if (folder && isExecutable(program)) return program
  }
  throw new Error(
    'These tests need Crossbar.io and found none. Install it (Python 3.11: `python3 -m venv crossbar && ' +
      'crossbar/bin/pip install crossbar`), and put it on the PATH or name it: CROSSBAR=$PWD/crossbar/bin/crossbar.',
  )
}

/** The Python of its environment, which has autobahn too. */
export const findPython = (): string => join(dirname(realpathSync(find())), 'python')

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  await Promise.all(servers.map((server) => once(server, 'close')))
  return ports
}

interface Ports {
  readonly port: number
  readonly universal: number
  readonly secure: number
  readonly certified: number
}

/** The public key of the private key `PRIVATE_KEY`. */
export const PUBLIC_KEY = '1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d'
export const PRIVATE_KEY = '4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510'

// The keys were derived in Python, by autobahn and by hashlib.
const LOGINS = {
  anonymous: { type: 'static', role: 'anonymous' },
  ticket: { type: 'static', principals: { joe: { ticket: 'secret!!!', role: 'user' } } },
  wampcra: {
    type: 'static',
    users: {
      joe: { secret: 'secret1', role: 'user' },
      salted: { secret: 'secret2', role: 'user', salt: 'salt123', iterations: 100, keylen: 16 },
    },
  },
  cryptosign: { type: 'static', principals: { joe: { authorized_keys: [PUBLIC_KEY], role: 'user' } } },
  scram: {
    type: 'static',
    principals: {
      joe: {
        kdf: 'argon2id-13',
        iterations: 64,
        memory: 512,
        salt: '0102030405060708090a0b0c0d0e0f10',
        'stored-key': 'a29e3eb59a8ce1c7deb3a44fd250d548f46ebeb0fed9dee7c4bdf7f1f5542882',
        'server-key': 'c0efde1c17d0d0118f2db9c36cd0807165d6d68b25f3265dab8c77526bba1f1f',
        role: 'user',
      },
      pbkdf2: {
        kdf: 'pbkdf2',
        iterations: 4096,
        memory: 0,
        salt: '0102030405060708090a0b0c0d0e0f10',
        'stored-key': '07d31bf134a40ecbe975d4c3d010e6483a49028d3cfa0bcaf33712086463099c',
        'server-key': 'd33e248e09dd4722509c0f771ed604dfbe85d6f303239f503359c370fcaef11c',
        role: 'user',
      },
    },
  },
}

const CERTIFIED = {
  type: 'static',
  principals: { joe: { 'certificate-sha1': new X509Certificate(cert).fingerprint, role: 'user' } },
}

function config({ port, universal, secure, certified }: Ports, path: string): object {
  const permission = {
    uri: '',
    match: 'prefix',
    allow: { call: true, register: true, publish: true, subscribe: true },
    disclose: { caller: true, publisher: true },
    cache: true,
  }
  const webSocket = {
    type: 'websocket',
    serializers: ['json', 'cbor', 'msgpack'],
    auth: { anonymous: { type: 'static', role: 'anonymous' } },
  }
  const methods = ['ticket', 'wampcra', 'cryptosign', 'scram', 'tls']
  const dynamic = Object.fromEntries(
    methods.map((name) => [name, { type: 'dynamic', authenticator: `com.example.authenticate.${name}` }]),
  )
  const transport = {
    type: 'web',
    endpoint: { type: 'tcp', port, interface: '127.0.0.1' },
    paths: {
      '/': { type: 'static', directory: 'web' },
      ws: webSocket,
      lp: { type: 'longpoll' },
      auth: { ...webSocket, auth: LOGINS },
      dynamic: { ...webSocket, auth: dynamic },
      cookie: { ...webSocket, cookie: { store: { type: 'memory' } }, auth: { cookie: {}, ticket: LOGINS.ticket } },
    },
  }
  const told = {
    ...webSocket,
    cookie: { store: { type: 'memory' } },
    options: { compression: { deflate: {} }, auto_fragment_size: 1000 },
  }
  const ways = { type: 'universal', rawsocket: { ...webSocket, type: 'rawsocket' }, websocket: { ws: told } }
  const logins = { ...webSocket, auth: LOGINS }
  const endpoint = { type: 'tcp', port: universal, interface: '127.0.0.1' }
  const tls = { key: 'key.pem', certificate: 'cert.pem' }
  const rawSocket = { ...webSocket, type: 'rawsocket', endpoint: { type: 'unix', path } }
  const roles = ['anonymous', 'user'].map((name) => ({ name, permissions: [permission] }))
  const realm = { name: 'realm1', roles }
  // With a store it queues calls beyond a callee's concurrency instead of refusing them: a realm of its own.
  const store = { type: 'memory', limit: 100, 'event-history': [{ uri: 'com.remembered', match: 'exact', limit: 3 }] }
  const remembering = { ...realm, name: REMEMBERING, store }
  const transports = [
    transport,
    rawSocket,
    { ...ways, endpoint },
    { ...ways, websocket: { ws: told, auth: logins }, endpoint: { ...endpoint, port: secure, tls } },
    {
      ...ways,
      websocket: { auth: { ...logins, auth: { tls: CERTIFIED } }, dynamic: { ...webSocket, auth: dynamic } },
      endpoint: { ...endpoint, port: certified, tls: { ...tls, ca_certificates: ['cert.pem', 'strangers.pem'] } },
    },
  ]
  return {
    version: 2,
    controller: {},
    workers: [{ type: 'router', realms: [realm, remembering], transports }],
  }
}
