/** Prefix patterns: a radix tree over characters, walked once along a URI regardless of the number of prefixes. */

interface PrefixNode<Found> {
  /** The characters between the parent and this node; empty only for the root. */
  text: string
  found: Found | undefined
  /** Children by their first character, which is unique. */
  children: Map<number, PrefixNode<Found>> | undefined
}

const prefixNode = <Found>(text: string, found?: Found): PrefixNode<Found> => ({ text, found, children: undefined })

export class Prefixes<Found> {
  readonly #root: PrefixNode<Found> = prefixNode('')

  set(prefix: string, found: Found): void {
    let at = this.#root
    let from = 0
    while (from < prefix.length) {
      const first = prefix.charCodeAt(from)
      at.children ??= new Map()
      let child = at.children.get(first)
      if (!child) {
        child = prefixNode(prefix.slice(from))
        at.children.set(first, child)
      }
      const shared = sharedLength(child.text, prefix, from)
      if (shared < child.text.length) {
        const upper: PrefixNode<Found> = prefixNode(child.text.slice(0, shared))
        child.text = child.text.slice(shared)
        upper.children = new Map([[child.text.charCodeAt(0), child]])
        at.children.set(first, upper)
        child = upper
      }
      from += shared
      at = child
    }
    at.found = found
  }

  delete(prefix: string): void {
    const path = [this.#root]
    let from = 0
    while (from < prefix.length) {
      const child = path.at(-1)?.children?.get(prefix.charCodeAt(from))
      if (!child || !prefix.startsWith(child.text, from)) return
      from += child.text.length
      path.push(child)
    }
    const last = path.pop() as PrefixNode<Found>
    last.found = undefined
    const parent = path.pop()
    if (!parent) return
    if (last.children) mergeOnlyChild(last)
    else {
      parent.children?.delete(last.text.charCodeAt(0))
      if (parent.children?.size === 0) parent.children = undefined
      if (parent !== this.#root) mergeOnlyChild(parent)
    }
  }

  /** The value of the longest prefix of a text. */
  longest(text: string): Found | undefined {
    let at = this.#root
    let { found } = at
    for (let from = 0; ; ) {
      const child = at.children?.get(text.charCodeAt(from))
      if (!child || !text.startsWith(child.text, from)) return found
      from += child.text.length
      at = child
      found = at.found ?? found
    }
  }

  /** Adds the values of all prefixes of a text, longest first. */
  collect(text: string, into: Found[]): void {
    const start = into.length
    let at = this.#root
    for (let from = 0; ; ) {
      if (at.found !== undefined) into.push(at.found)
      const child = at.children?.get(text.charCodeAt(from))
      if (!child || !text.startsWith(child.text, from)) break
      from += child.text.length
      at = child
    }
    for (let low = start, high = into.length - 1; low < high; low++, high--) {
      const swapped = into[low] as Found
      into[low] = into[high] as Found
      into[high] = swapped
    }
  }

  /** The number of nodes; 1 when the tree is empty. */
  get nodes(): number {
    let count = 0
    const waiting = [this.#root]
    for (let at = waiting.pop(); at; at = waiting.pop()) {
      count++
      if (at.children) waiting.push(...at.children.values())
    }
    return count
  }
}

/** Merges a node with its only child, so that a deleted prefix leaves nothing behind. */
function mergeOnlyChild<Found>(upper: PrefixNode<Found>): void {
  if (upper.found !== undefined || upper.children?.size !== 1) return
  for (const child of upper.children.values()) {
    upper.text += child.text
    upper.found = child.found
    upper.children = child.children
  }
}

/** The number of characters that two texts have in common from an offset on. */
function sharedLength(text: string, other: string, from: number): number {
  let shared = 0
  while (shared < text.length && text.charCodeAt(shared) === other.charCodeAt(from + shared)) shared++
  return shared
}
