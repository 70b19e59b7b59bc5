/** The mistakes of a configuration, with their places. */

import { usage, type WampError } from '../protocol/error.ts'
import type { Place, Problem } from './shapes.ts'

/** `listeners[0].tls.cert`; empty for the whole configuration. */
export function placeText(at: Place): string {
  return at.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    const name = /^[\w$-]+$/.test(part) ? part : JSON.stringify(part)
    return text === '' ? name : `${text}.${name}`
  }, '')
}

/** A mistake in one line: its place, what is wrong, and the cure. */
export function problemText({ at, text }: Problem): string {
  return at.length === 0 ? `the configuration ${text}` : `${placeText(at)} ${text}`
}

export function problemsError(problems: readonly Problem[]): WampError {
  return usage(problems.map(problemText).join('\n'))
}
