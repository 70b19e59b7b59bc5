/** A progress bar on stderr, if that is a terminal. */

import { isJson, styled, toLine } from './output.ts'

/** Milliseconds between two drawings. */
const REDRAW = 200
const BAR_WIDTH = 24

/** Draws a bar with a text until the returned function is called, which removes it. */
export function showProgress(text: () => string, progress: () => number): () => void {
  const { stderr } = process
  if (!stderr.isTTY || isJson()) return () => {}
  const draw = (): void => {
    const share = progress()
    const full = Math.round(share * BAR_WIDTH)
    const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`
    const head = `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  `
    // A line that the terminal wraps would not be overwritten.
    const room = Math.max(0, (stderr.columns || 80) - head.length - 1)
    stderr.write(
      `\r\u001b[2K${styled('cyan', bar, stderr)}${head.slice(BAR_WIDTH)}${toLine(text()).slice(0, -1).slice(0, room)}`,
    )
  }
  draw()
  const timer = setInterval(draw, REDRAW)
  return () => {
    clearInterval(timer)
    stderr.write('\r\u001b[2K')
  }
}
