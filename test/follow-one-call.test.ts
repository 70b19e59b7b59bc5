/** Follows one call by coverage and compares the files it runs with the walk in CONTRIBUTING.md. */

import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openWorld } from 'wampy-ts/testing'

const root = new URL('../', import.meta.url)
const src = new URL('src/', root).href

/** The files of the numbered list under the heading "Follow one call", relative to src/. */
function walk(): string[] {
  const text = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')
  const section = /^## Follow one call\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text)?.[1] ?? ''
  return [...section.matchAll(/^\d+\. `src\/([^`]+)`/gm)].map(([, file]) => file as string)
}

/** The files under src/ of which at least one function runs while `action` does. */
async function filesRun(action: () => Promise<unknown>): Promise<Set<string>> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    // Reading the counts sets them to 0: earlier calls are not counted.
    await session.post('Profiler.takePreciseCoverage')
    await action()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const files = new Set<string>()
    for (const { url, functions } of result) {
      const href = url.startsWith('/') ? `file://${url}` : url
      if (!href.startsWith(src)) continue
      const ran = functions.some(
        ({ functionName, ranges }) => functionName !== '' && ranges.some(({ count }) => count > 0),
      )
      if (ran) files.add(fileURLToPath(href).slice(fileURLToPath(src).length))
    }
    return files
  } finally {
    session.disconnect()
  }
}

test('every file in "Follow one call" of CONTRIBUTING.md is on the path of a call', async () => {
  await using world = await openWorld({ link: 'websocket' })
  const [caller, callee] = await world.join('caller', 'callee')
  await callee.register('com.example.add', ([a, b]) => (a as number) + (b as number))
  await caller.call('com.example.add', [1, 2])
  const files = await filesRun(async () => {
    expect(await caller.call('com.example.add', [1, 2])).toBe(3)
  })
  const listed = walk()
  expect(listed.length).toBeGreaterThanOrEqual(10)
  expect(listed.filter((file) => !files.has(file))).toEqual([])
})
