/** The plugin for Vite, under the Vite of this repository, which compiles by esbuild; test/toolchains/ has Vite 8. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Plugin } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { decorators } from 'wampy-ts/vite'

/** What the development server sends for a decorated service. */
async function served(plugins: Plugin[]): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'wampy-ts-vite-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  writeFileSync(
    join(root, 'service.ts'),
    'const rpc = (method: unknown, _: unknown) => method\nexport class Service { @rpc add(a: number) { return a } }',
  )
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    server: { middlewareMode: true, ws: false as const, watch: null },
    optimizeDeps: { noDiscovery: true },
    plugins,
  })
  try {
    return (await server.transformRequest('/service.ts'))?.code ?? ''
  } finally {
    await server.close()
  }
}

test('if Vite compiles with esbuild, decorators are compiled with and without the plugin', async () => {
  const compiled = await served([decorators()])
  expect(compiled).toContain('class Service')
  expect(compiled).not.toContain('@rpc')
  expect(await served([])).toBe(compiled)
})

test('if Vite compiles with oxc, the plugin requests their compilation', () => {
  const { config } = decorators()
  expect(config.call({ meta: { rolldownVersion: '1.0.0' } })).toEqual({ oxc: { decorator: { legacy: true } } })
  expect([config.call({ meta: {} }), config.call(undefined)]).toEqual([{}, {}])
})
