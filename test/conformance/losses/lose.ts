/** Plays a story as often as it has messages, and loses somebody after another one each time. */

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

/** An outcome, as a story says it: what was given, and the URI of the error behind it. */
export type Told = readonly unknown[] | { readonly given?: readonly unknown[]; readonly error: string }

export interface Story<Name extends string = string> {
  readonly router?: RouterOptions
  /** Who is there from the start, and may be lost. */
  readonly cast: Readonly<Record<Name, ClientOptions>>
  /** What is there before anybody is lost. */
  readonly before?: (stage: Stage, cast: Cast<Name>) => Promise<unknown>
  /** Gives back, if it likes, what must hold when everything has come to its end and those who are left go on. */
  readonly play: (stage: Stage, cast: Cast<Name>) => Promise<unknown>
  /** What everything comes to where nobody is lost. */
  readonly whole: Readonly<Record<string, Told>>
  /** What may be given instead where somebody is lost. */
  readonly instead?: Readonly<Record<string, readonly unknown[]>>
  /** The errors that may end something where somebody is lost, beside those of any loss. */
  readonly errors?: readonly string[]
}

/** Who was lost, if anybody; `router` where everybody was. */
export type Check = (lost: string | undefined) => void

export const story = <const Name extends string>(told: Story<Name>): Story => told as unknown as Story

// What a publication, and an answer that only shows that it comes, are told as.
export const PUBLISHED = 'published'
export const ANSWERED = 'answered'

export const publish = (client: WampClient, topic: string, args: unknown[], options: PublishOptions = {}) =>
  client.publish(topic, args, {}, { ...options, acknowledge: true }).then(() => PUBLISHED)

/** Answered behind everything that the router has sent before. */
export const fence = (client: WampClient) => client.call('wamp.session.count').then(() => ANSWERED)

/** One, two and three, in time; it is told when it is left. */
export async function* three(stage: Stage, what: string): AsyncGenerator<number, string> {
  const left = gate<string>()
  void stage.tell(what, left.opened)
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

/** How one client goes: at once, in the handling of a message, or when that has led to what it leads to. */
const WAYS: Record<string, (stage: Stage, name: string) => void> = {
  'breaks behind what it said': (stage, name) => stage.lines.get(name)?.near.terminate(),
  'breaks behind what it was told': (stage, name) => void setImmediate(() => stage.lines.get(name)?.far.terminate()),
  leaves: (stage, name) => stage.leave(name),
  'is killed': (stage, name) => stage.kill(name),
  'falls silent': (stage, name) => {
    const line = stage.lines.get(name)
    if (line) line.silent = true
  },
}

/** Silence must be waited for: after every message would take long. */
const few = ({ way, after }: Loss) => way !== 'falls silent' || after % 3 === 0

/** How all of them go at once. */
const ENDS: Record<string, (stage: Stage) => void> = {
  closes: (stage) => stage.replace((router) => void stage.tell('the end of the router', router.close())),
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

/** Plays a story, with a loss or without; gives back how many messages it took, and who was there. */
async function play(told: Story, loss?: Loss): Promise<Stage> {
  const stage = new Stage(told.router)
  const cast = Object.fromEntries(
    Object.entries(told.cast).map(([name, options]) => [name, stage.client(name, options)]),
  )
  await stage.settled()
  await stage.play(told.before?.(stage, cast) ?? Promise.resolve())
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
  const check = await stage.play(told.play(stage, cast))
  await stage.settled()
  stage.counting = false
  await stage.finish(() => {
    if (typeof check === 'function') (check as Check)(loss?.who)
    judge(told, stage, loss)
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
    // A wish waits for a session for as long as it may.
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

/** Whether the one is the beginning of the other, or where events may have been missed, a part in its order. */
function isPart(part: readonly unknown[], whole: readonly unknown[], gaps: boolean): boolean {
  let at = 0
  for (const item of whole) {
    if (at === part.length) return true
    if (same(item, part[at])) at++
    else if (!gaps) return false
  }
  return at === part.length
}

/** Whoever is lost, after whichever message, in whichever way: everything ends, the others go on, nothing is left. */
async function everyLoss(told: Story): Promise<void> {
  simulate()
  const { arrived, clients } = await play(told)
  for (let after = 0; after <= arrived; after++) {
    const losses = Object.keys(ENDS).map((way) => ({ who: ROUTER, way, after }))
    for (const who of clients.keys()) losses.push(...Object.keys(WAYS).map((way) => ({ who, way, after })))
    for (const loss of losses.filter(few)) {
      try {
        await play(told, loss)
      } catch (error) {
        const { who, way } = loss
        throw new Error(`where ${who} ${way} after message ${after} of ${arrived}: ${error}`, { cause: error })
      }
    }
  }
}

export function tellAll(stories: Readonly<Record<string, Story>>): void {
  test.each(Object.entries(stories))('%s', (_, told) => everyLoss(told), 60_000)
}
