/** Plays a race in all orders in which its moves can be made and its messages can arrive. */

import { expect, test } from 'vitest'
import { type ClientOptions, type WampClient, WampError } from 'wampy-ts'
import type { RouterOptions } from 'wampy-ts/router'
import { Stage, simulate } from '../stage.ts'

/** The moves of each side, in its own order; the race decides when. */
type Moves = Readonly<Record<string, readonly (() => unknown)[]>>

export interface Race<Name extends string> {
  readonly router?: RouterOptions
  readonly cast: Readonly<Record<Name, ClientOptions>>
  /** Sets the race up. Returns the moves, and a function for the outcome, which throws if that is inconsistent. */
  readonly start: (
    stage: Stage,
    cast: Readonly<Record<Name, WampClient>>,
  ) => Promise<{ moves: Moves; end: () => string }>
}

/** If there are more orders than this, a random sample of this size is taken. */
const [ALL, DRAWN] = [60, 160]

/** Plays a race in every order, or in a sample; each outcome must be one of the allowed ones. */
export async function everyOrder<Name extends string>(race: Race<Name>, outcomes: readonly string[]): Promise<void> {
  simulate()
  const came = new Set<string>()
  let path: number[] = []
  for (let played = 0; played < ALL; played++) {
    const widths: number[] = []
    came.add(
      await play(race, ({ length }) => {
        const choice = path[widths.length] ?? 0
        path[widths.length] = choice
        widths.push(length)
        return choice
      }),
    )
    // The last choice with an alternative, with all choices after it undone.
    while (widths.length > 0 && path[widths.length - 1] === (widths.at(-1) as number) - 1) widths.pop()
    if (widths.length === 0) return expect(came).toEqual(new Set(outcomes))
    path = path.slice(0, widths.length)
    path[path.length - 1]!++
  }
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  for (let played = 0; played < DRAWN; played++) {
    let last = ''
    came.add(
      await play(race, (ways) => {
        // A side that has begun usually continues: some are done long before others begin.
        const on = random(3) > 0 ? ways.indexOf(last) : -1
        const choice = on < 0 ? random(ways.length) : on
        last = ways[choice] as string
        return choice
      }),
    )
  }
  expect(outcomes).toEqual(expect.arrayContaining([...came]))
  expect(came.size, `of ${outcomes.length} came ${[...came].join('; ')}`).toBeGreaterThan(outcomes.length / 2)
}

async function play<Name extends string>(race: Race<Name>, choose: (ways: string[]) => number): Promise<string> {
  const stage = new Stage(race.router)
  const names = Object.keys(race.cast) as Name[]
  const cast = Object.fromEntries(names.map((name) => [name, stage.client(name, race.cast[name])]))
  await stage.settled()
  const { moves, end } = await stage.play(race.start(stage, cast as Record<Name, WampClient>))
  await stage.rest()
  const left = new Map(Object.entries(moves).map(([name, list]) => [name, [...list]]))
  const order: string[] = []
  for (;;) {
    const { fences } = stage
    const able = [...left].filter(([, list]) => list.length > 0)
    const ways = [...fences.keys(), ...able.map(([name]) => name)]
    if (ways.length === 0) break
    const way = ways[choose(ways)] as string
    order.push(way)
    const fence = fences.get(way)
    if (fence) fence.release(1)
    else left.get(way)?.shift()?.()
    await stage.hold()
  }
  let came = ''
  try {
    await stage.finish(() => {
      came = end()
    })
  } catch (error) {
    throw new Error(`in the order ${order.join(', ')}: ${error}`, { cause: error })
  }
  return came
}

/** An outcome as text: its values, or the last component of the URI of its error. */
export function outcome(stage: Stage, what: string): string {
  const { given = [], error } = stage.outcomes.get(what) ?? {}
  if (error !== undefined && !WampError.is(error)) throw error
  return [...given, ...(error ? [(error as WampError).uri] : [])].join(' ')
}

type Any = Race<string>
export const race = <const Name extends string>(it: Race<Name>, ...outcomes: string[]): [Any, string[]] => [
  it as unknown as Any,
  outcomes,
]

/** A signal for a waiting operation, and the function that aborts it. */
export function aborting() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

export function runAll(races: Readonly<Record<string, [Any, string[]]>>): void {
  test.each(Object.entries(races))('%s', (_, [it, outcomes]) => everyOrder(it, outcomes), 60_000)
}
