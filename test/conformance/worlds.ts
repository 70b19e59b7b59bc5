/** The worlds that the conformance tests run in: every link, and every serializer where there are bytes. */

import { json, type Serializer } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import type { WorldOptions } from 'wampy-ts/testing'

export const serializers: readonly Serializer[] = [json, cbor, msgpack]

type Named = [name: string, options: WorldOptions]

/** Every link with every serializer. */
export const all: Named[] = [
  ['linked', { link: 'linked' }],
  ...(['wires', 'websocket'] as const).flatMap((link) =>
    serializers.map((serializer): Named => [`${link} ${serializer.name}`, { link, serializer }]),
  ),
]

/** Without bytes at all, and with everything there is. */
export const extremes: Named[] = [
  ['linked', { link: 'linked' }],
  ['websocket json', { link: 'websocket' }],
]
