/** What ends the command early: one line for people, and an exit code for scripts. */

import { WampError } from '../protocol/error.ts'

/** 1: it did not work. 2: the command line was wrong. */
export type ExitCode = 1 | 2

export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(text: string, exitCode: ExitCode = 1) {
    super(text)
    this.exitCode = exitCode
  }
}

/** The command line was wrong. */
export function misuse(text: string): Failure {
  return new Failure(text, 2)
}

/** Whatever was thrown, in a few words. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error) && !WampError.is(error)) return String(error)
  return error.message || error.name
}

/** An error by its URI and what it says: `wamp.error.no_such_procedure: no callee is registered for com.example.add`. */
export function spelled({ uri, message }: WampError): string {
  return message === uri ? uri : `${uri}: ${message}`
}

/** In one line. What a peer wrote must not move the cursor of a terminal either. */
export function line(text: string): string {
  return `${text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()}\n`
}

/** Writes a line to stdout. */
export function say(text: string): void {
  process.stdout.write(line(text))
}

/** Writes a line to stderr. */
export function warn(text: string): void {
  process.stderr.write(line(text))
}
