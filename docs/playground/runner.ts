/** Runs the programs of a playground in a sandboxed frame of the page. */

import type { FrameOrder, FrameRequest } from './frame.ts'
import { asReport, type Programs, type Report } from './messages.ts'

/** The scripts of the frame and of its workers, as `bundle.ts` makes them. */
export interface Scripts {
  readonly frame: string
  readonly runtime: string
}

export interface Run {
  /** Ends the connections of all programs as a broken network does. */
  cut(): void
  /** Ends the programs at once. */
  stop(): void
}

/**
 * Starts the programs in a new frame within `parent`. The frame has an opaque origin, no network, and no access to the page;
 * everything it sends is checked.
 */
export function runPrograms(
  parent: HTMLElement,
  scripts: Scripts,
  programs: Programs,
  report: (report: Report) => void,
): Run {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.setAttribute('aria-hidden', 'true')
  frame.tabIndex = -1
  frame.title = 'The running programs'
  frame.hidden = true
  frame.srcdoc = frameDocument(scripts.frame)
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data }: MessageEvent<unknown>) => {
    const checked = asReport(data)
    if (checked) report(checked)
  }
  frame.onload = () => {
    const request: FrameRequest = { runtime: scripts.runtime, programs }
    // An opaque origin has no name to post to; the frame is ours and cannot have been navigated: it has just been loaded.
    frame.contentWindow?.postMessage(request, '*', [port2])
    frame.onload = null
  }
  parent.append(frame)
  return {
    cut: () => port1.postMessage({ order: 'cut' } satisfies FrameOrder),
    stop: () => {
      port1.onmessage = null
      port1.close()
      frame.remove()
    },
  }
}

function frameDocument(script: string): string {
  const nonce = crypto.randomUUID()
  const policy = `default-src 'none'; script-src 'nonce-${nonce}' blob:; worker-src blob:; connect-src 'none'`
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"></head><body><script nonce="${nonce}">${script}</script></body></html>`
}
