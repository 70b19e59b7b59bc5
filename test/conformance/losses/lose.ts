/** Plays a story once per message, and loses one participant after a different message each time. */

import { expect, test } from 'vitest'
import {
  CANCELED,
  type ClientOptions,
  CONNECTION_LOST,
  NO_SUCH_PROCEDURE,
  NOT_JOINED,
  type PublishOptions,
  STOPPED,
  TIMEOUT,
  type WampClient,
  WampError,
} from 'wampy-ts'
import type { RouterOptions } from 'wampy-ts/router'
import { gate } from '../../client/support.ts'
import { Stage, simulate } from '../stage.ts'

type Cast<Name extends string> = Readonly<Record<Name, WampClient>>

/** An outcome in a story: the values, and the URI of the final error. */
export type ExpectedOutcome = readonly unknown[] | { readonly given?: readonly unknown[]; readonly error: string }

export interface Story<Name extends string = string> {
  readonly router?: RouterOptions
  /** The clients that exist from the start, and may be lost. */
  readonly cast: Readonly<Record<Name, ClientOptions>>
  /** Prepares the stage before any loss. */
  readonly before?: (stage: Stage, cast: Cast<Name>) => Promise<unknown>
  /** May return a check for the time when everything has ended and the remaining clients are idle. */
  readonly play: (stage: Stage, cast: Cast<Name>) => Promise<unknown>
  /** The outcomes without a loss. */
  readonly whole: Readonly<Record<string, ExpectedOutcome>>
  /** Values that are allowed instead if there is a loss. */
  readonly instead?: Readonly<Record<string, readonly unknown[]>>
  /** Errors that are allowed if there is a loss, in addition to those of any loss. */
  readonly errors?: readonly string[]
}

/** The lost client, if any; `router` if all were lost. */
export type Check = (lost: string | undefined) => void

export const story = <const Name extends string>(plot: Story<Name>): Story => plot as unknown as Story

// The values recorded for a publication, and for an answer that only needs to arrive.
export const PUBLISHED = 'published'
export const ANSWERED = 'answered'

export const publish = (client: WampClient, topic: string, args: unknown[], options: PublishOptions = {}) =>
  client.publish(topic, args, {}, { ...options, acknowledge: true }).then(() => PUBLISHED)

/** Answered after everything that the router has sent before. */
export const fence = (client: WampClient) => client.call('wamp.session.count').then(() => ANSWERED)

/** One, two and three, over time; records when it is left. */
export async function* three(stage: Stage, what: string): AsyncGenerator<number, string> {
  const left = gate<string>()
  void stage.record(what, left.opened)
  try {
    for (let n = 1; n <= 3; n++) {
      yield n
      await stage.sleep(10)
    }
    return 'all'
  } finally {
    left.open('left')
  }
}

const ROUTER = 'router'

/** The ways to lose one client: at once, while it handles a message, or after the effects of that. */
const WAYS: Record<string, (stage: Stage, name: string) => void> = {
  'breaks after a message it sent': (stage, name) => stage.lines.get(name)?.near.terminate(),
  'breaks after a message it received': (stage, name) =>
    void setImmediate(() => stage.lines.get(name)?.far.terminate()),
  leaves: (stage, name) => stage.leave(name),
  'is killed': (stage, name) => stage.kill(name),
  'falls silent': (stage, name) => {
    const line = stage.lines.get(name)
    if (line) line.silent = true
  },
}

/** Silence takes simulated time: after every message would be too slow. */
const few = ({ way, after }: Loss) => way !== 'falls silent' || after % 3 === 0

/** The ways to lose all of them at once. */
const ENDS: Record<string, (stage: Stage) => void> = {
  closes: (stage) => stage.replace((router) => void stage.record('the end of the router', router.close())),
  breaks: (stage) => {
    const lines = [...stage.lines.values()]
    stage.replace(() => {
      for (const line of lines) line.break()
    })
  },
}

interface Loss {
  readonly who: string
  readonly way: string
  readonly after: number
}

/** Plays a story, with a loss or without; returns the number of messages, and the participants. */
async function play(story: Story, loss?: Loss): Promise<Stage> {
  const stage = new Stage(story.router)
  const cast = Object.fromEntries(
    Object.entries(story.cast).map(([name, options]) => [name, stage.client(name, options)]),
  )
  await stage.settled()
  await stage.play(story.before?.(stage, cast) ?? Promise.resolve())
  stage.counting = true
  const strike = () => {
    if (!loss) return
    const { who, way } = loss
    if (who === ROUTER) ENDS[way]?.(stage)
    else WAYS[way]?.(stage, who)
  }
  stage.heard = (count) => {
    if (count === loss?.after) strike()
  }
  if (loss?.after === 0) strike()
  const check = await stage.play(story.play(stage, cast))
  await stage.settled()
  stage.counting = false
  await stage.finish(() => {
    if (typeof check === 'function') (check as Check)(loss?.who)
    judge(story, stage, loss)
  })
  return stage
}

const ALLOWED = [
  CANCELED,
  CONNECTION_LOST,
  NO_SUCH_PROCEDURE,
  NOT_JOINED,
  STOPPED,
  'wamp.close.killed',
  'wamp.close.system_shutdown',
]

function judge({ whole, instead = {}, errors = [] }: Story, { outcomes }: Stage, loss: Loss | undefined): void {
  const allowed = [...ALLOWED, ...errors]
  for (const [what, { given, error, loose, by }] of outcomes) {
    const of = /^(start|stop|the end) of/.test(what) ? ['done'] : whole[what]
    const wanted = of && 'error' in of ? { given: of.given ?? [], error: of.error } : { given: of, error: undefined }
    const came = { given, error: uriOf(error) }
    if (same(came, wanted)) continue
    const likely = [wanted.given, instead[what]]
    // A handle waits for a session as long as it may.
    const wished = by !== undefined && came.error === TIMEOUT && (loss?.who === by || loss?.who === ROUTER)
    const rightly =
      came.error === undefined
        ? loose || likely.some((one) => same(given, one))
        : allowed.includes(came.error) || wished
    if (loss && rightly && likely.some((one) => one && isPart(given, one, loose))) continue
    expect(came, what).toEqual(wanted)
  }
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

function uriOf(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (WampError.is(error)) return error.uri
  throw new Error('something else than a WampError', { cause: error })
}

/** True if one list is the beginning of the other, or, where events may be missed, a part of it in order. */
function isPart(part: readonly unknown[], whole: readonly unknown[], gaps: boolean): boolean {
  let at = 0
  for (const item of whole) {
    if (at === part.length) return true
    if (same(item, part[at])) at++
    else if (!gaps) return false
  }
  return at === part.length
}

/** For any loss, after any message, in any way: everything ends, the others continue, nothing is left. */
async function everyLoss(story: Story): Promise<void> {
  simulate()
  const { arrived, clients } = await play(story)
  for (let after = 0; after <= arrived; after++) {
    const losses = Object.keys(ENDS).map((way) => ({ who: ROUTER, way, after }))
    for (const who of clients.keys()) losses.push(...Object.keys(WAYS).map((way) => ({ who, way, after })))
    for (const loss of losses.filter(few)) {
      try {
        await play(story, loss)
      } catch (error) {
        const { who, way } = loss
        throw new Error(`where ${who} ${way} after message ${after} of ${arrived}: ${error}`, { cause: error })
      }
    }
  }
}

export function playAll(stories: Readonly<Record<string, Story>>): void {
  test.each(Object.entries(stories))('%s', (_, story) => everyLoss(story), 60_000)
}
