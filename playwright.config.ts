/** Runs e2e/ in Chromium: the one that CHROMIUM names, else an installed one, else Playwright's own. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, defineConfig, devices } from '@playwright/test'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installed(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin']
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable)
}

/** The browser's path; undefined leaves it to Playwright, whose own browser is there. */
function findChromium(): string | undefined {
  const given = process.env['CHROMIUM']
  if (given) {
    if (isExecutable(given)) return given
    throw new Error(`CHROMIUM names ${given}, which is not an executable file.`)
  }
  const found = installed()
  if (found || existsSync(chromium.executablePath())) return found
  throw new Error(
    'The browser tests need Chromium and found none. Install it (Debian, Ubuntu: `apt-get install chromium`), ' +
      'or set CHROMIUM to the path of a Chromium or Chrome, or let Playwright fetch its own: `npx playwright install chromium`.',
  )
}

const executablePath = findChromium()

export default defineConfig({
  testDir: 'e2e',
  // Its own, without the paths of the other: these tests use the built package.
  tsconfig: 'e2e/tsconfig.json',
  outputDir: 'test-results',
  timeout: 30_000,
  fullyParallel: false,
  workers: 2,
  retries: Number(process.env['RETRIES'] ?? 0),
  forbidOnly: Boolean(process.env['CI']),
  reporter: [['list']],
  use: { trace: 'retain-on-failure' },
  projects: [
    {
      name: 'chromium',
      use: {
        ...devices['Desktop Chrome'],
        launchOptions: {
          ...(executablePath ? { executablePath } : {}),
          args: [
            // Chromium refuses to run as root inside its sandbox.
            ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            '--no-first-run',
            // A name that is not a secure context, as a page over plain http from another machine.
            '--host-resolver-rules=MAP name.test 127.0.0.1',
          ],
        },
      },
    },
  ],
})
