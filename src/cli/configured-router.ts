/** `wampy-ts router --config`: a router that follows its configuration file. */

import { type ConfiguredRouter, routerFromConfig } from '../config/router-from-config.ts'
import { logTo } from '../operations/log.ts'
import { readConfigFile } from './config-file.ts'
import { Failure, FileFailure, messageOf } from './failure.ts'
import { loggerFrom } from './log-lines.ts'
import { printNotice, printStatus } from './output.ts'
import { stopOnSignals, whenAborted } from './signals.ts'

/** Runs until a signal stops it. SIGHUP reloads the file; a file with mistakes changes nothing. */
export async function runConfigured(
  path: string,
  log: { readonly level: string | undefined; readonly format: string | undefined },
): Promise<void> {
  const { config, folder } = await readConfigFile(path)
  const logger = loggerFrom(log.level ?? config.log?.level, log.format ?? config.log?.format)
  const stop = stopOnSignals()
  let running: ConfiguredRouter
  try {
    running = await routerFromConfig(config, { folder })
  } catch (error) {
    throw new Failure(messageOf(error))
  }
  const stopLog = logger ? logTo(running.router, logger) : undefined
  // One after the other: the last file wins.
  let reloading = Promise.resolve()
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(path, running))
  })
  for (const url of running.urls) printStatus(`wampy-ts router listening on ${url}`, { listening: url })
  await whenAborted(stop.signal)
  await running.close()
  stopLog?.()
}

async function reload(path: string, running: ConfiguredRouter): Promise<void> {
  try {
    const { config } = await readConfigFile(path)
    const { ended, needsRestart } = running.reload(config)
    const later = needsRestart.length > 0 ? `; changes of ${needsRestart.join(', ')} need a restart` : ''
    printStatus(`reloaded ${path}: ${ended} session${ended === 1 ? '' : 's'} ended${later}`, {
      reloaded: path,
      ended,
      needsRestart,
    })
  } catch (error) {
    const lines = error instanceof FileFailure ? error.lines : [messageOf(error)]
    for (const line of lines) printNotice(line)
    printNotice(`${path} was not reloaded: the router goes on as before`)
  }
}
