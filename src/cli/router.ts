/** `wampy-ts router`: runs a router until a signal stops it. */

import { resolve } from 'node:path'
import { serveRawSocket } from '../node/rawsocket-serve.ts'
import { type ServeOptions, serve } from '../node/serve.ts'
import { type Logger, logTo } from '../operations/log.ts'
import { DEFAULT_REALM } from '../protocol/names.ts'
import { Router, type RouterOptions } from '../router/router.ts'
import { runConfigured } from './configured-router.ts'
import { defineCommand, integerOption } from './define-command.ts'
import { Failure, messageOf, usageFailure } from './failure.ts'
import { LOG_OPTIONS, loggerFrom } from './log-lines.ts'
import { printStatus } from './output.ts'
import { stopOnSignals, whenAborted } from './signals.ts'

export const routerCommand = defineCommand({
  name: 'router',
  summary: 'Starts a router, with a broker and a dealer for each realm.',
  options: {
    config: {
      type: 'string',
      value: 'file',
      help: 'a configuration, in JSON with comments or YAML; instead of other options',
    },
    port: { type: 'string', value: 'port', help: 'the port to listen on; 0 picks a free one (default: 8080)' },
    host: { type: 'string', value: 'host', help: '127.0.0.1 (default) for this machine, 0.0.0.0 for every interface' },
    path: { type: 'string', value: 'path', help: 'the path of its URL (default: /ws)' },
    realm: { type: 'string', multiple: true, value: 'realm', help: `a realm, repeatable (default: ${DEFAULT_REALM})` },
    strict: {
      type: 'boolean',
      help: 'require strict URIs (only a-z, 0-9 and _) and sequential request ids; no workarounds for known libraries',
    },
    unix: { type: 'string', value: 'path', help: 'also listen on this unix socket, for RawSocket' },
    'no-raw-socket': { type: 'boolean', help: 'refuse RawSocket on the port: accept only WebSocket' },
    'long-poll': { type: 'boolean', help: 'accept HTTP long polls, below <path>/lp' },
    metrics: { type: 'boolean', help: 'show metrics for Prometheus at /metrics' },
    health: { type: 'boolean', help: 'answer /healthz, and /readyz with 503 while the router closes' },
    ...LOG_OPTIONS,
    'max-connections': { type: 'string', value: 'n', help: 'refuse more connections than this (default: no limit)' },
    'hello-timeout': { type: 'string', value: 'ms', help: 'time for a handshake (default: 5000)' },
    limit: {
      type: 'string',
      multiple: true,
      value: 'name=n',
      help: 'a limit of the router, repeatable, such as --limit backlog=1000000; docs/router/operate.md lists them',
    },
    drain: { type: 'string', value: 'ms', help: 'time for calls in progress after SIGTERM or SIGINT (default: 5000)' },
    'control-others': {
      type: 'boolean',
      help: 'let every session end others and take over or remove what they have registered (for tests)',
    },
  },
  json: 'print lines of JSON: {"listening":...}',
  notes: `It prints a line for each address once it accepts connections, and with --log-level a log on stderr. It speaks JSON,
CBOR and MessagePack, over WebSocket, and over RawSocket on the same port: rs://127.0.0.1:8080. SIGINT and SIGTERM let calls in
progress finish, send GOODBYE to every session and end the command with exit code 0; a second signal ends it at once. With
--config, SIGHUP reloads users, roles and certificates: sessions whose user was removed or has another role are ended, all
others stay.`,
  examples: [
    'wampy-ts router',
    'wampy-ts router --config router.json',
    'wampy-ts router --port 9000 --path /wamp --realm public --realm internal',
    'wampy-ts router --unix /tmp/wampy.sock --no-raw-socket',
  ],
  async run({ config, ...values }) {
    if (config !== undefined) {
      const { 'log-level': level, 'log-format': format, ...others } = values
      const [other] = Object.keys(others)
      if (other !== undefined) throw usageFailure(`--config is used alone: put --${other} into the file`)
      await runConfigured(config, { level, format })
      return
    }
    const { port = '8080', host, path, realm: realms = [DEFAULT_REALM], strict, unix, limit = [], ...flags } = values
    const number = integerOption('port', port, 0, 65535)
    const count = (name: 'max-connections' | 'hello-timeout' | 'drain'): number | undefined => {
      const text = flags[name]
      return text === undefined ? undefined : integerOption(name, text, 0, Number.MAX_SAFE_INTEGER)
    }
    const [maxConnections, helloTimeout] = [count('max-connections'), count('hello-timeout')]
    const drain = count('drain') ?? 5000
    const logger = loggerFrom(flags['log-level'], flags['log-format'])
    const stop = stopOnSignals()
    const { router, urls, close } = await openRouter(
      { realms, strict, controlOthers: flags['control-others'], limits: limitsFrom(limit) },
      {
        port: number,
        host,
        path,
        rawSocket: !flags['no-raw-socket'],
        longPoll: flags['long-poll'],
        metrics: flags.metrics,
        health: flags.health,
        maxConnections,
        helloTimeout,
      },
      // Absolute, because clients in other folders need the path.
      unix === undefined ? undefined : resolve(unix),
      logger,
    )
    for (const url of urls) printStatus(`wampy-ts router listening on ${url}`, { listening: url })
    await whenAborted(stop.signal)
    await router.close({ drain })
    await close()
  },
})

/** Limits such as `backlog=1000000`; the router checks their names and values. */
function limitsFrom(given: readonly string[]): RouterOptions['limits'] {
  return Object.fromEntries(
    given.map((text) => {
      const [, name = '', value] = /^(\w+)=(\d+)$/.exec(text) ?? []
      if (value === undefined)
        throw usageFailure(`--limit must be a name and a whole number, such as backlog=1000000, got "${text}"`)
      return [name, Number(value)]
    }),
  )
}

interface OpenedRouter {
  readonly router: Router
  readonly urls: readonly string[]
  close(): Promise<unknown>
}

/** @throws Failure for an invalid realm, address or path, and for a port or a path that is in use */
async function openRouter(
  routerOptions: RouterOptions,
  options: ServeOptions,
  unix: string | undefined,
  logger: Logger | undefined,
): Promise<OpenedRouter> {
  try {
    const router = new Router(routerOptions)
    const stopLog = logger && logTo(router, logger)
    const served = await serve(router, options)
    // Last: a later failure would leave the file of the socket behind.
    const local = unix === undefined ? undefined : await serveRawSocket(router, { path: unix })
    return {
      router,
      urls: [served.url, served.longPollUrl, local?.url].filter((url) => url !== undefined),
      close: async () => {
        await Promise.all([served.close(), local?.close()])
        stopLog?.()
      },
    }
  } catch (error) {
    throw new Failure(messageOf(error))
  }
}
