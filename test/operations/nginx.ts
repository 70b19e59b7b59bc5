/** An nginx with TLS in front of a router, configured as the documentation says. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { freePort, snippets } from '../docs/project.ts'
import { cert, key } from '../node/certificate.ts'

export interface Nginx {
  readonly port: number
  /** `nginx -s reload`. */
  reload(): Promise<void>
}

// Debian installs it where only root looks.
const env = { ...process.env, PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) }

/**
 * Starts nginx for a router on a port of this machine. Its clients come from the address in their header `X-Client`, in place
 * of machines of their own. `shutdown` is the time after a reload for which the old connections last.
 */
export async function nginx(routerPort: number, shutdown = '1h'): Promise<Nginx> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'wampy-nginx-'))
  writeFileSync(join(folder, 'fullchain.pem'), cert)
  writeFileSync(join(folder, 'privkey.pem'), key)
  const documented = snippets().get('router/deploy/nginx.conf') ?? ''
  const server = documented
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replaceAll('/etc/ssl/example.com', folder)
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${routerPort}`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
worker_shutdown_timeout ${shutdown};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Client;
${server}
}
`,
  )
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]
  const child = spawn('nginx', args, { env, stdio: 'ignore' })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new Error("nginx is missing: install Debian's package nginx", { cause })))
    child.once('exit', (code) => reject(new Error(`nginx ended with ${code}: ${logOf(folder)}`)))
  })
  failed.catch(() => {})
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true })
  })
  await Promise.race([listening(port), failed])
  return {
    port,
    reload: async () => {
      await promisify(execFile)('nginx', [...args, '-s', 'reload'], { env })
    },
  }
}

function logOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'error.log'), 'utf8')
  } catch {
    return 'without a log'
  }
}

/** Resolves when a port accepts connections. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const accepted = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    })
    socket.destroy()
    if (accepted) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
