/** What a process has used: from /proc on Linux, and elsewhere asked of the process itself. */

import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Usage {
  /** Microseconds, of the user and the system. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
}

/** True if the kernel reports it. Otherwise a process must be started with REPORTING. */
export const hasProc = process.platform === 'linux'

/** Arguments of node for a process that has no such code of its own, and an IPC channel. */
export const REPORTING = [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    'process.on("message", (m) => { if (m === "usage") { const { user, system } = process.cpuUsage();' +
      'process.send({ cpu: user + system, memory: process.memoryUsage.rss() }) } }); process.channel?.unref()',
  )}`,
]

// sysconf(_SC_CLK_TCK) is 100 wherever Node runs on Linux.
const TICK = 10_000

export async function usageOf(child: ChildProcess): Promise<Usage> {
  if (!hasProc) {
    return new Promise((resolve) => {
      child.once('message', (usage) => resolve(usage as Usage))
      child.send('usage')
    })
  }
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1')
  // The name of the program comes second, in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${child.pid}/status`, 'latin1')
  const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  return { cpu: (Number(fields[11]) + Number(fields[12])) * TICK, memory: resident * 1024 }
}
