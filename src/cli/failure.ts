/** An error that ends a command: one line for people, and an exit code for scripts. */

import { WampError } from '../protocol/error.ts'

/** 1: the command failed. 2: the command line was wrong. */
export type ExitCode = 1 | 2

export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(text: string, exitCode: ExitCode = 1) {
    super(text)
    this.exitCode = exitCode
  }
}

/** Several mistakes in one file: a line for each, which begins with its place. */
export class FileFailure extends Failure {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

/** The failure of a wrong command line. */
export function usageFailure(text: string): Failure {
  return new Failure(text, 2)
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error) && !WampError.is(error)) return String(error)
  return error.message || error.name
}

/** An error as `uri: message`: `wamp.error.no_such_procedure: no callee is registered for com.example.add`. */
export function formatError({ uri, message }: WampError): string {
  return message === uri ? uri : `${uri}: ${message}`
}
