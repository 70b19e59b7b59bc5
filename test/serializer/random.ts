/** Random messages of all kinds, the same on every run. */

import type { Message } from '../../src/protocol/messages.ts'

/** mulberry32: a sequence of numbers from 0 to 1, determined by a seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit)
}

function pick<T>(random: () => number, list: readonly T[]): T {
  return list[below(random, list.length)] as T
}

const TEXTS = [
  '',
  'a',
  'com.example.add',
  'häé',
  '日本',
  '🎉 party',
  '"\\\n',
  '\u2028',
  '\ufeffmark',
  '__proto',
  'x'.repeat(300),
  'é'.repeat(40),
]
const NUMBERS = [
  0,
  1,
  -1,
  23,
  24,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  -32,
  -33,
  -128,
  -129,
  -32768,
  -32769,
  -(2 ** 31),
  -(2 ** 31) - 1,
  -(2 ** 53),
  0.5,
  -1.25,
  1e300,
  5e-324,
  1.1,
]
const BIGS = [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)]
const KEYS = ['a', 'key', 'constructor', 'toString', 'ключ', '', 'a b', '10', 'k'.repeat(40)]

export function randomValue(random: () => number, depth = 0): unknown {
  switch (below(random, depth > 3 ? 6 : 8)) {
    case 0:
      return pick(random, TEXTS)
    case 1:
      return pick(random, NUMBERS)
    case 2:
      return pick(random, BIGS)
    case 3:
      return pick(random, [true, false, null])
    case 4:
      return new Uint8Array(Array.from({ length: below(random, 80) }, () => below(random, 256)))
    case 5:
      return below(random, 1000)
    case 6:
      return randomList(random, depth + 1)
    default:
      return randomDict(random, depth + 1)
  }
}

export function randomList(random: () => number, depth = 0): unknown[] {
  return Array.from({ length: below(random, 6) }, () => randomValue(random, depth))
}

export function randomDict(random: () => number, depth = 0): Record<string, unknown> {
  const dict: Record<string, unknown> = {}
  const size = random() < 0.05 ? 20 : below(random, 4)
  for (let i = 0; i < size; i++) dict[size === 20 ? `key${i}` : pick(random, KEYS)] = randomValue(random, depth)
  return dict
}

/** In `K`: i an id, d a dictionary, t text, r the code of a request; behind `p` args and kwargs, behind `?` perhaps. */
const SHAPES: readonly (readonly [code: number, kinds: string])[] = [
  [1, 'td'],
  [2, 'id'],
  [3, 'dtp'],
  [4, 'td'],
  [5, 'td'],
  [6, 'dt'],
  [8, 'ridtp'],
  [16, 'idtp'],
  [17, 'ii'],
  [32, 'idt'],
  [33, 'ii'],
  [34, 'ii'],
  [34, 'iid'],
  [35, 'i'],
  [35, 'zd'],
  [36, 'iidp'],
  [48, 'idtp'],
  [49, 'id'],
  [50, 'idp'],
  [64, 'idt'],
  [65, 'ii'],
  [66, 'ii'],
  [67, 'zd'],
  [68, 'iidp'],
  [69, 'id'],
  [70, 'idp'],
]

const IDS = [1, 2, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53]

export function randomMessage(random: () => number): Message {
  const [code, kinds] = pick(random, SHAPES)
  const message: unknown[] = [code]
  for (const kind of kinds) {
    if (kind === 'i') message.push(pick(random, IDS))
    else if (kind === 'z') message.push(0)
    else if (kind === 'd') message.push(random() < 0.5 ? {} : randomDict(random))
    else if (kind === 't') message.push(pick(random, TEXTS))
    else if (kind === 'r') message.push(pick(random, [16, 32, 34, 48, 64, 66, 68]))
    else {
      const count = below(random, 3)
      if (count === 1) message.push({ args: randomList(random), kwargs: undefined })
      if (count === 2) message.push({ args: randomList(random), kwargs: randomDict(random) })
    }
  }
  return message as unknown as Message
}

/** A message with its payload decoded, for comparison. */
export function read(message: Message): unknown[] {
  return message.map((element: unknown) => {
    if (typeof element !== 'object' || element === null || !('source' in element || 'args' in element)) return element
    const { args, kwargs } = element as { args: unknown; kwargs: unknown }
    return { args, kwargs }
  })
}

export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '')
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16))
}

export function toHex(bytes: string | Uint8Array): string {
  if (typeof bytes === 'string') throw new TypeError('text is not a frame of bytes')
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
