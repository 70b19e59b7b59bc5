/** Runs the stories in each engine: `node --import tsx e2e/engines/run.ts [engine...] [--only text]`. */

import { parseArgs } from 'node:util'
import { type Browser, ENGINES, type Tab } from './browsers.ts'
import { NodeSide, RouterProcess, Site } from './stage.ts'
import { STORIES } from './stories.ts'

/** A story that takes longer has failed. */
const LONGEST = 60_000

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } })
const engines = positionals.length > 0 ? positionals : Object.keys(ENGINES)
const stories = Object.entries(STORIES).filter(([name]) => name.includes(values.only ?? ''))
let passed = 0
let failed = 0

async function limited<T>(task: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${LONGEST} ms`)), LONGEST)
  })
  return Promise.race([task, late]).finally(() => clearTimeout(timer))
}

async function tell(engine: string, browser: Browser, name: string): Promise<void> {
  const [router, site] = [new RouterProcess(), new Site()]
  await Promise.all([router.start(), site.start()])
  const node = new NodeSide({ name: 'node', router: router.url, reconnect: { initial: 50, max: 200 } })
  const tabs: Tab[] = []
  try {
    await node.start()
    const open = async (url: string): Promise<Tab> => {
      const tab = await browser.open()
      tabs.push(tab)
      await tab.goto(url)
      return tab
    }
    await limited(STORIES[name]!({ engine, router, site, node, open }))
    for (const tab of tabs) {
      const complaints = await tab.run<string[]>('return globalThis.complaints ?? []')
      if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('; ')}`)
    }
  } finally {
    for (const tab of tabs) await tab.close().catch(() => {})
    await node.stop()
    await router.kill()
    site.stop()
  }
}

async function run(engine: string): Promise<void> {
  const start = ENGINES[engine]
  if (!start) throw new Error(`there is no engine ${engine}, but ${Object.keys(ENGINES).join(', ')}`)
  const browser = await limited(start())
  console.log(`\n${engine}: ${browser.version}`)
  for (const [name] of stories) {
    const began = performance.now()
    const time = () => `(${Math.round(performance.now() - began)} ms)`
    try {
      await tell(engine, browser, name)
      passed++
      console.log(`  ✓ ${engine} › ${name} ${time()}`)
    } catch (error) {
      failed++
      console.log(`  ✘ ${engine} › ${name} ${time()}`)
      console.log(error)
    }
  }
  await browser.quit()
}

const began = performance.now()
for (const engine of engines) {
  try {
    await run(engine)
  } catch (error) {
    // An engine that is not there, or does not start, is a failure of all its stories.
    failed += stories.length
    console.log(`  ✘ ${engine}: ${error instanceof Error ? error.message : error}`)
  }
}
// The last line of Playwright's runs, for scripts that add them up.
console.log()
if (failed > 0) console.log(`  ${failed} failed`)
console.log(`  ${passed} passed (${((performance.now() - began) / 1000).toFixed(1)}s)`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
