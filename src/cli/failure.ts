/** An error that ends a command: one line for people, and an exit code for scripts. */

import { usage, WampError } from '../protocol/error.ts'
import type { Dict, List } from '../protocol/options.ts'

/** 1: the command failed. 2: the command line was wrong. 130 and 143: SIGINT and SIGTERM ended it. */
export type ExitCode = 1 | 2 | 130 | 143

export class Failure extends Error {
  readonly exitCode: ExitCode
  /** The error URI of the cause, if it has one. */
  readonly uri: string | undefined

  constructor(text: string, exitCode: ExitCode = 1, uri?: string) {
    super(text)
    this.exitCode = exitCode
    this.uri = uri
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
  return new Failure(text, 2, usage(text).uri)
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

/** The document that `--json` prints on stderr in place of an error's line. */
export interface ErrorDocument {
  /** Undefined for an error without a URI, such as a file that is missing. */
  readonly uri?: string
  readonly message: string
  /** The values of an error that a peer sent. */
  readonly args?: List
  readonly kwargs?: Dict
  /** The mistakes of a file, each with its place. */
  readonly problems?: readonly string[]
}

export function errorDocument(error: unknown): ErrorDocument {
  if (WampError.is(error)) {
    const { uri, message, args, kwargs } = error
    return { uri, message, args: args ?? [], kwargs: kwargs ?? {} }
  }
  const uri = error instanceof Failure ? error.uri : undefined
  return {
    ...(uri !== undefined && { uri }),
    message: messageOf(error),
    ...(error instanceof FileFailure && { problems: error.lines }),
  }
}
