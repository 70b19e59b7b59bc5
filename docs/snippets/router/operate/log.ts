import { RpcClient } from 'wampy-ts'
import { type Logger, logTo } from 'wampy-ts/log'
import { Router } from 'wampy-ts/router'

// pino is a logger as it is. The console is one by these lines:
const line = (level: keyof Logger) => (fields: object, text: string) =>
  console[level](text, JSON.stringify(fields))
const logger: Logger = {
  debug: line('debug'),
  info: line('info'),
  warn: line('warn'),
  error: line('error'),
}

const router = new Router()
logTo(router, logger)
await using client = new RpcClient({ router, name: 'page' })
const stop = logTo(client, logger)
await client.call('com.example.nobody').catch(() => {}) // request refused {"realm":"realm1", ...}
stop()
