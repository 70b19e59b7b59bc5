/** `wampy-ts register`: makes a program a procedure. */

import type { Invocation } from '../client/roles/callee.ts'
import { WampClient } from '../client/wamp-client.ts'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { anyOf, INVOKE_POLICIES, isOneOf, MATCH_POLICIES } from '../protocol/words.ts'
import { reportLosses, whenStopped } from './client-status.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption, integerOption } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { formatJson } from './json-value.ts'
import { isJson, printNotice, printStatus } from './output.ts'
import { parseContent, readValues } from './payload-arguments.ts'
import { COMMAND_FAILED, checkProgram, LONGEST_TAIL, Programs } from './program.ts'
import { stopOnSignals, whenAborted } from './signals.ts'
import { Slots } from './slots.ts'
import { mergeOptions, optionsOption } from './wire-options.ts'

/** Programs at a time without `--concurrency`. */
const CONCURRENCY = 8

/** Calls that may wait for a program to end. A router that is told a limit (REGISTER.Options.concurrency) may refuse them instead. */
const MOST_WAITING = 1000

const OUTPUT = 1024 * 1024

export const registerCommand = defineCommand({
  name: 'register',
  summary: 'Makes a program a procedure: started for each call, with JSON on its standard input.',
  usage: '<procedure> [options] -- <command> [argument ...]',
  required: ['procedure', 'command'],
  rest: 'argument',
  options: {
    text: { type: 'boolean', help: 'the output is text, even if it is valid JSON' },
    timeout: { type: 'string', value: 'ms', help: 'longest run of the program (default: no limit)' },
    'max-output': { type: 'string', value: 'bytes', help: `longest output (default: ${OUTPUT})` },
    concurrency: {
      type: 'string',
      value: 'n',
      help: `programs at a time (default: ${CONCURRENCY}); up to ${MOST_WAITING} more calls wait for their turn`,
    },
    match: {
      type: 'string',
      value: 'policy',
      choices: MATCH_POLICIES,
      help: `${anyOf(MATCH_POLICIES)} (default: exact)`,
    },
    invoke: {
      type: 'string',
      value: 'policy',
      choices: INVOKE_POLICIES,
      help: `${anyOf(INVOKE_POLICIES)} (default: single)`,
    },
    options: optionsOption('REGISTER', '{"disclose_caller":true}'),
    drain: {
      type: 'string',
      value: 'ms',
      help: 'after a signal, the time in which calls in progress may finish; 0 for none (default: 8000)',
    },
    ...connectionOptions,
  },
  json: 'print lines of JSON: {"registered":...}, and on stderr {"stderr":...} of the programs',
  notes: `The program is started for each call anew, without a shell. Nothing of the caller is on its command line or in its environment:
it reads {"args":[...],"kwargs":{...},"details":{...}} from standard input, where bytes are text of NUL and base64.
Its output is the result: a JSON value, or else text without its last line end. No output is null, and output that is
not UTF-8 is bytes. An exit code other than 0 is the error ${COMMAND_FAILED} with the last ${LONGEST_TAIL} characters of its stderr,
all of which appears on stderr here too.
If the caller cancels, the time is over, the output too long or the connection lost, the program and the processes that it
has started get SIGTERM, and two seconds later SIGKILL. What it leaves running when it ends is ended.
SIGINT and SIGTERM end the command with exit code 0: it takes no more calls, lets those in progress finish, and sends
GOODBYE. A second signal ends it and its programs at once.`,
  examples: [
    'wampy-ts register com.example.uptime -- uptime',
    "wampy-ts register com.example.total -- jq '.args | add'",
    'wampy-ts register com.example.resize --concurrency 2 --timeout 10000 -- python3 resize.py',
    'wampy-ts register com.example.files --match prefix -- ./files.sh',
  ],
  async run(values, [procedure = '', file = '', ...args]) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout)
    const output =
      values['max-output'] === undefined ? OUTPUT : integerOption('max-output', values['max-output'], 1, 2 ** 30)
    const drain = values.drain === undefined || integerOption('drain', values.drain, 0, LONGEST_TIMER)
    const { match, invoke } = values
    if (match !== undefined && !isOneOf(MATCH_POLICIES, match)) {
      throw usageFailure(`--match must be ${anyOf(MATCH_POLICIES)}, got "${match}"`)
    }
    if (invoke !== undefined && !isOneOf(INVOKE_POLICIES, invoke)) {
      throw usageFailure(`--invoke must be ${anyOf(INVOKE_POLICIES)}, got "${invoke}"`)
    }
    const concurrency =
      values.concurrency === undefined ? CONCURRENCY : integerOption('concurrency', values.concurrency, 1, 10_000)
    const { options } = await readValues([], { options: values.options })
    const wire = mergeOptions('REGISTER', options, {
      match: { flag: '--match', value: match },
      invoke: { flag: '--invoke', value: invoke },
    })
    checkProgram(file)
    const stop = stopOnSignals()
    const programs = new Programs(printStderr)
    const slots = new Slots(concurrency, MOST_WAITING)
    const answer = async (invocation: Invocation): Promise<unknown> => {
      const { args: positional, kwargs, details, procedure, signal } = invocation
      const input = `${formatJson({ args: positional, kwargs, details: { ...details, procedure } })}\n`
      const written = await slots.use(signal, () => programs.run({ file, args }, input, { timeout, output }, signal))
      return written.length === 0 && !values.text ? null : parseContent(written, values.text)
    }
    const client = new WampClient({ ...target.options, name: 'wampy-ts register', roles: ['callee'] })
    const stopped = whenStopped(client)
    client.on('error', (error) => printNotice(String(error)))
    try {
      await startClient(client, target, stop.signal)
      reportLosses(client, target, printNotice)
      const endpoint = (_: unknown, __: unknown, ___: unknown, invocation: Invocation) => answer(invocation)
      await client.register(procedure, endpoint, { ...wire, signal: stop.signal })
      printStatus(`registered ${procedure}`, { registered: procedure })
      await Promise.race([whenAborted(stop.signal), stopped])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await client.stop({ drain })
      await programs.ended()
    }
  },
})

/** Prints what a program wrote on stderr; no control character reaches the terminal. */
function printStderr(text: string): void {
  if (isJson()) process.stderr.write(`${formatJson({ stderr: text })}\n`)
  else process.stderr.write(text.replace(/[^\P{Cc}\n\t]+/gu, ' '))
}
