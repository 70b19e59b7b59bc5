/** `wampy-ts kill`: ends sessions of a realm. */

import { createInterface } from 'node:readline'
import type { Client } from '../client/client.ts'
import { meta } from '../client/functions/meta-call.ts'
import { RpcClient } from '../client/rpc-client.ts'
import type { WampError } from '../protocol/error.ts'
import { isId } from '../protocol/ids.ts'
import type { Id, Uri } from '../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED } from '../protocol/names.ts'
import type { Dict, List } from '../protocol/options.ts'
import { isUri } from '../protocol/uri.ts'
import { connectionOptions, connectionTarget, startClient } from './connect.ts'
import { defineCommand, durationOption } from './define-command.ts'
import { Failure, formatError, usageFailure } from './failure.ts'
import { askMeta, detailsInPages, idsIn, isGone, PAGE_OF_DETAILS } from './meta-pages.ts'
import { isJson, printNotice, printStatus } from './output.ts'

export const killCommand = defineCommand({
  name: 'kill',
  summary: 'Ends sessions: by id, by authid, by role, or all of a realm.',
  rest: 'session',
  options: {
    'by-authid': { type: 'string', value: 'name', help: 'end every session of this user' },
    'by-authrole': { type: 'string', value: 'role', help: 'end every session of this role' },
    all: { type: 'boolean', help: 'end every session of the realm' },
    reason: { type: 'string', value: 'uri', help: 'the reason in the GOODBYE to them (default: that of the router)' },
    message: { type: 'string', value: 'text', help: 'the message in it' },
    yes: { type: 'boolean', help: 'do not ask on a terminal before more than one session ends' },
    timeout: { type: 'string', value: 'ms', help: 'longest wait for each answer (default: no limit)' },
    ...connectionOptions,
  },
  json: 'print the result as JSON: {"killed":3}',
  notes: `Ids are those of wampy-ts sessions. The session of the command itself is never ended. A router of wampy-ts requires the
right to control other sessions. Clients that reconnect, as those of this library, return with a new session.
On a terminal it asks before it ends more than one session; in scripts it does not.
An id without a session is an error, with exit code 1, after the other ids were tried.`,
  examples: [
    'wampy-ts kill 1234567890',
    'wampy-ts kill --by-authid joe --reason com.example.logged_out --message "see you tomorrow"',
    'wampy-ts kill --all --yes',
  ],
  async run(values, operands) {
    const target = connectionTarget(values)
    const timeout = durationOption('timeout', values.timeout) ?? 0
    const { 'by-authid': authid, 'by-authrole': authrole, all, reason, message, yes } = values
    const ways = [operands.length > 0, authid !== undefined, authrole !== undefined, all].filter(Boolean).length
    if (ways !== 1) throw usageFailure('name the sessions in one way: ids, --by-authid, --by-authrole or --all')
    if (reason !== undefined && !isUri(reason)) throw usageFailure(`--reason must be a URI, got "${reason}"`)
    const ids = operands.map(sessionId)
    const farewell = { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
    const client = new RpcClient({ ...target.options, name: 'wampy-ts kill', roles: ['caller'] })
    await startClient(client, target)
    const killing: Killing = { client, farewell, timeout }
    const report = (killed: number): void => printStatus(`killed ${sessionsText(killed)}`, { killed })
    try {
      if (!yes && process.stdin.isTTY && process.stderr.isTTY) {
        const question = await questionAbout({ ids, authid, authrole }, killing)
        if (question && isJson()) throw usageFailure(`add --yes to kill ${question}: with --json nothing is asked`)
        if (question && !(await agrees(`Kill ${question} in ${target.realm}? [y/N] `))) {
          throw new Failure('nothing was killed')
        }
      }
      if (ids.length === 1) {
        await killOne(killing, ids[0] as Id)
        report(1)
      } else if (ids.length > 0) {
        let killed = 0
        for (const id of ids) {
          await killOne(killing, id).then(
            () => killed++,
            (error: WampError) => printNotice(formatError(error)),
          )
        }
        report(killed)
        if (killed < ids.length) throw new Failure(`${ids.length - killed} of ${ids.length} sessions were not killed`)
      } else report(await killMany({ authid, authrole }, killing))
    } finally {
      await client.stop()
    }
  },
})

interface Killing {
  readonly client: Client
  readonly farewell: Dict
  readonly timeout: number
}

interface KillFilter {
  readonly authid: string | undefined
  readonly authrole: string | undefined
}

function sessionId(text: string): Id {
  const id = Number(text)
  // An id beyond 2^53 would be rounded to another one.
  if (isId(id) && String(id) === text) return id
  throw usageFailure(`"${text}" is not a valid session id`)
}

const sessionsText = (count: number): string => `${count} session${count === 1 ? '' : 's'}`

/** The sessions to end, for a question; undefined for at most one. */
async function questionAbout(
  { ids, authid, authrole }: KillFilter & { readonly ids: readonly Id[] },
  { client, timeout }: Killing,
): Promise<string | undefined> {
  if (ids.length > 0) return ids.length > 1 ? sessionsText(ids.length) : undefined
  // Counted only by an answer for each session.
  if (authid !== undefined) return `every session of "${authid}"`
  const found = idsIn(await askMeta(client, 'wamp.session.list', authrole === undefined ? [] : [[authrole]], timeout))
  const count = found.filter((id) => id !== client.session.id).length
  return count > 1 ? `${sessionsText(count)}${authrole === undefined ? '' : ` of role "${authrole}"`}` : undefined
}

/** Asks on stderr; the end of the input is a no. */
async function agrees(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin })
  try {
    process.stderr.write(question)
    for await (const line of lines) return /^y(es)?$/i.test(line.trim())
    return false
  } finally {
    lines.close()
  }
}

async function killOne({ client, farewell, timeout }: Killing, id: Id): Promise<void> {
  await meta(client, 'wamp.session.kill', [id], farewell, { timeout })
}

async function killMany({ authid, authrole }: KillFilter, killing: Killing): Promise<number> {
  const { client, farewell, timeout } = killing
  const own = client.session
  // Crossbar.io would end the caller as well.
  if (authid !== undefined ? own.authid === authid : own.authrole === authrole) {
    return killEach(killing, authrole, ({ authid: each }) => authid === undefined || each === authid)
  }
  const ask = async (procedure: Uri, args: List): Promise<number> => {
    const { args: results } = await meta(client, procedure, args, farewell, { timeout })
    // The specification answers with ids or with a number, and Crossbar.io always with ids.
    return Array.isArray(results[0]) ? results[0].length : Number(results[0] ?? 0)
  }
  if (authid !== undefined) return ask('wamp.session.kill_by_authid', [authid])
  if (authrole !== undefined) return ask('wamp.session.kill_by_authrole', [authrole])
  return ask('wamp.session.kill_all', []).catch((error: WampError) => {
    if (error.uri !== FEATURE_NOT_SUPPORTED) throw error
    return killEach(killing, undefined, () => true)
  })
}

/** Ends the sessions one by one, in pages, but never the one of this command. */
async function killEach(
  killing: Killing,
  authrole: string | undefined,
  matches: (details: Dict) => boolean,
): Promise<number> {
  const { client, timeout } = killing
  const listed = await askMeta(client, 'wamp.session.list', authrole === undefined ? [] : [[authrole]], timeout)
  const ids = idsIn(listed).filter((id) => id !== client.session.id)
  let killed = 0
  for await (const page of detailsInPages(
    ids,
    (id) => askMeta(client, 'wamp.session.get', [id], timeout),
    PAGE_OF_DETAILS,
  )) {
    await Promise.all(
      page.filter(matches).map(async ({ session }) => {
        try {
          await killOne(killing, session as Id)
          killed++
        } catch (error) {
          if (!isGone(error)) throw error
        }
      }),
    )
  }
  return killed
}
