/** Registrations and subscriptions that no call and no event of the benchmark concerns, but that look much like theirs. */

import { REGISTER, REGISTERED, SUBSCRIBE, SUBSCRIBED } from 'wampy-ts/testing'
import type { Uri } from '../../src/protocol/messages.ts'
import type { MatchPolicy } from '../../src/protocol/options.ts'
import { type Connection, DIGITS, encoded, framed } from './wire.ts'

/** The registered or subscribed URI, and the called or published one; DIGITS marks the part in which URIs differ. */
export const URIS: Record<MatchPolicy, { readonly pattern: Uri; readonly uri: Uri }> = {
  exact: { pattern: 'bench.echo.exact', uri: 'bench.echo.exact' },
  prefix: { pattern: 'bench.echo.', uri: `bench.echo.${DIGITS}` },
  wildcard: { pattern: 'bench..echo', uri: `bench.${DIGITS}.echo` },
}

const BATCH = 1000

/** The pattern of a number. It has as many components as the URIs above, of which any one may be empty. */
function pattern(index: number): { readonly uri: Uri; readonly match: MatchPolicy } {
  const name = `n${index}`
  switch (index % 3) {
    case 0:
      return { uri: `bench.echo.${name}`, match: 'exact' }
    case 1:
      return { uri: `bench.echo.${name}.`, match: 'prefix' }
    default:
      return {
        uri: [`bench..${name}`, `.echo.${name}`, `bench.${name}.`][((index / 3) % 3) | 0] as Uri,
        match: 'wildcard',
      }
  }
}

/** So many of each, a third of each kind, one session after the other taking a batch of them. */
export async function load(connections: readonly Connection[], count: number): Promise<void> {
  let next = 0
  const worker = async (connection: Connection): Promise<void> => {
    let request = 0
    while (next < count) {
      const end = Math.min(next + BATCH, count)
      for (; next < end; next++) {
        const { uri, match } = pattern(next)
        for (const code of [REGISTER, SUBSCRIBE] as const) {
          connection.append(framed(connection.format, encoded(connection.format, [code, ++request, { match }, uri])))
        }
      }
      await connection.answers(request, [REGISTERED, SUBSCRIBED])
    }
  }
  await Promise.all(connections.map(worker))
}
