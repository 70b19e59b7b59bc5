/** Installing the development dependencies needs no install script and warns of none. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const read = <T>(file: string): T =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8')) as T

test('package.json allows or denies every install script of a dependency', () => {
  const { allowScripts } = read<{ allowScripts: Record<string, boolean> }>('package.json')
  const { packages } = read<{
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean; os?: string[] }>
  }>('package-lock.json')
  const scripted = Object.entries(packages)
    // Packages of other systems are not installed here; npm asks about them there.
    .filter(([, { hasInstallScript, os }]) => hasInstallScript && !os)
    .map(([path]) => path.split('node_modules/').at(-1) ?? '')
  expect([...new Set(scripted)].sort()).toEqual(Object.keys(allowScripts).sort())
})
