/** The state of a playground in the hash of its URL: the example, and the programs that differ from it. */

import { PROGRAMS, type Program, type Programs } from './messages.ts'

export interface PlaygroundState {
  readonly example: string
  /** The programs that were edited. */
  readonly edits: Partial<Programs>
}

/** The greatest number of characters of a hash; longer ones are neither made nor read. */
export const LONGEST_HASH = 32_000
/** The greatest number of bytes that a hash may decompress to. */
const MOST_BYTES = 200_000

/** The hash of a state, with its `#`; undefined if it would be too long for a URL. */
export async function toHash({ example, edits }: PlaygroundState): Promise<string | undefined> {
  const plain = `#example=${encodeURIComponent(example)}`
  if (Object.keys(edits).length === 0) return plain
  const bytes = new TextEncoder().encode(JSON.stringify(edits))
  if (bytes.length > MOST_BYTES) return undefined
  const packed = await through(bytes, new CompressionStream('deflate-raw'))
  const hash = `${plain}&code=${toBase64Url(packed)}`
  return hash.length > LONGEST_HASH ? undefined : hash
}

/** Reads a hash. A hash of something else, or one that is damaged, yields undefined. */
export async function fromHash(hash: string): Promise<PlaygroundState | undefined> {
  if (hash.length > LONGEST_HASH) return undefined
  const parameters = new URLSearchParams(hash.slice(1))
  const example = parameters.get('example')
  if (!example) return undefined
  const code = parameters.get('code')
  if (!code) return { example, edits: {} }
  try {
    const bytes = await through(fromBase64Url(code), new DecompressionStream('deflate-raw'))
    return { example, edits: asEdits(JSON.parse(new TextDecoder().decode(bytes))) }
  } catch {
    return undefined
  }
}

function asEdits(value: unknown): Partial<Programs> {
  const texts = PROGRAMS.map((program): [Program, unknown] => [program, Object(value)[program]])
  return Object.fromEntries(texts.filter(([, text]) => typeof text === 'string'))
}

/** @throws RangeError for more than `MOST_BYTES` */
async function through(bytes: Uint8Array<ArrayBuffer>, transform: GenericTransformStream): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader()
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer())
    chunks.push(value)
    length += value.length
    if (length > MOST_BYTES) {
      await reader.cancel()
      throw new RangeError('too long')
    }
  }
}

function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}
