/** The keys of one dictionary as places in a frame, to find duplicates without decoding them. */

import { textDecoder } from '../protocol/text.ts'

const NO_KEYS = new Uint8Array(0)
const INITIAL_SLOTS = 64
/** Looked-at slots for each key, on average, above which somebody has chosen keys of one hash. */
const MAX_PROBES = 32
// A peer that does not know it cannot choose keys of one hash in advance.
const SEED = Math.floor(Math.random() * 2 ** 31) | 1

export class KeySet {
  #bytes: Uint8Array = NO_KEYS
  /** For each slot, the start and the end of a key; an end of 0 marks an empty slot. */
  #slots = new Uint32Array(INITIAL_SLOTS * 2)
  #mask = INITIAL_SLOTS - 1
  #size = 0
  #probes = 0

  /** Begins an empty set of keys in these bytes. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes
  }

  /** Releases the bytes and all keys. */
  close(): void {
    this.#bytes = NO_KEYS
    this.#size = 0
    this.#probes = 0
    if (this.#mask < INITIAL_SLOTS) this.#slots.fill(0)
    else {
      this.#slots = new Uint32Array(INITIAL_SLOTS * 2)
      this.#mask = INITIAL_SLOTS - 1
    }
  }

  /** True while looking up a key takes constant time. */
  get isQuick(): boolean {
    return this.#probes <= MAX_PROBES * (this.#size + INITIAL_SLOTS)
  }

  /** Adds the key in the bytes from `start` to `end`; false if the set has it already. */
  add(start: number, end: number): boolean {
    if (this.#size * 2 > this.#mask) this.#grow()
    const slots = this.#slots
    let slot = this.#slotOf(start, end)
    while (slots[slot + 1] !== 0) {
      if (this.#isSame(slots[slot] as number, slots[slot + 1] as number, start, end)) return false
      slot = this.#next(slot)
    }
    slots[slot] = start
    slots[slot + 1] = end
    this.#size++
    return true
  }

  /** The keys as text. */
  texts(): Set<string> {
    const texts = new Set<string>()
    const slots = this.#slots
    for (let slot = 0; slot < slots.length; slot += 2) {
      const end = slots[slot + 1] as number
      if (end !== 0) texts.add(textDecoder().decode(this.#bytes.subarray(slots[slot], end)))
    }
    return texts
  }

  #next(slot: number): number {
    this.#probes++
    return (slot + 2) & (this.#mask * 2 + 1)
  }

  #slotOf(start: number, end: number): number {
    const bytes = this.#bytes
    let hash = SEED
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193) + SEED
    // The lower bits alone depend on few bits of each byte.
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return ((hash ^ (hash >>> 13)) & this.#mask) * 2
  }

  #isSame(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    if (end - start !== otherEnd - otherStart) return false
    const bytes = this.#bytes
    for (let i = start, j = otherStart; i < end; i++, j++) if (bytes[i] !== bytes[j]) return false
    return true
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 4)
    this.#mask = this.#mask * 4 + 3
    for (let from = 0; from < old.length; from += 2) {
      const end = old[from + 1] as number
      if (end === 0) continue
      let slot = this.#slotOf(old[from] as number, end)
      while (this.#slots[slot + 1] !== 0) slot = this.#next(slot)
      this.#slots[slot] = old[from] as number
      this.#slots[slot + 1] = end
    }
  }
}
