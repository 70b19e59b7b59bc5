/** Tests of the build in `dist` need one that is as new as the sources. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const newest = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(folder, file)).mtimeMs),
  )

/** @throws Error if `dist` is missing or older than `src` */
export function checkBuilt(): void {
  const dist = join(root, 'dist')
  if (existsSync(join(dist, 'index.d.cts')) && newest(join(root, 'src')) <= newest(dist)) return
  throw new Error('dist/ is missing or older than src/: run `npm run build` first.')
}
