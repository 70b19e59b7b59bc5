/** Wildcard patterns, whose empty components match any component: one trie over components for each pattern length. */

interface ComponentNode<Found> {
  found: Found | undefined
  literal: Map<string, ComponentNode<Found>> | undefined
  /** The child for an empty component. */
  any: ComponentNode<Found> | undefined
}

/** The patterns with one number of components. */
interface ComponentRoot<Found> extends ComponentNode<Found> {
  /** The shapes (sets of empty components), with the number of patterns of each. */
  readonly shapes: Map<string, number>
}

const componentNode = <Found>(): ComponentNode<Found> => ({ found: undefined, literal: undefined, any: undefined })

/**
 * A walk visits the nodes that agree with the URI so far, which is at most one node per shape and component. Other
 * patterns cost nothing, but the number of shapes must be bounded.
 */
export class Wildcards<Found> {
  readonly #roots = new Map<number, ComponentRoot<Found>>()

  /** True if the shape of a pattern exists already for its length, or the limit of shapes leaves room for it. */
  admits(pattern: string, shapes: number): boolean {
    const components = pattern.split('.')
    const known = this.#roots.get(components.length)?.shapes
    return !known || known.size < shapes || known.has(shapeOf(components))
  }

  set(pattern: string, found: Found): void {
    const components = pattern.split('.')
    let root = this.#roots.get(components.length)
    if (!root) {
      root = { ...componentNode<Found>(), shapes: new Map() }
      this.#roots.set(components.length, root)
    }
    let at: ComponentNode<Found> = root
    for (const component of components) {
      if (component === '') {
        at.any ??= componentNode()
        at = at.any
      } else {
        at.literal ??= new Map()
        let child: ComponentNode<Found> | undefined = at.literal.get(component)
        if (!child) {
          child = componentNode()
          at.literal.set(component, child)
        }
        at = child
      }
    }
    if (at.found === undefined) {
      const shape = shapeOf(components)
      root.shapes.set(shape, (root.shapes.get(shape) ?? 0) + 1)
    }
    at.found = found
  }

  delete(pattern: string): void {
    const components = pattern.split('.')
    const root = this.#roots.get(components.length)
    let at: ComponentNode<Found> | undefined = root
    const path: ComponentNode<Found>[] = []
    for (const component of components) {
      if (!at) return
      path.push(at)
      at = component === '' ? at.any : at.literal?.get(component)
    }
    if (!root || at?.found === undefined) return
    at.found = undefined
    const shape = shapeOf(components)
    const left = (root.shapes.get(shape) as number) - 1
    if (left > 0) root.shapes.set(shape, left)
    else root.shapes.delete(shape)
    for (let i = path.length - 1; i >= 0; i--) {
      const parent = path[i] as ComponentNode<Found>
      const component = components[i] as string
      if (component === '') parent.any = undefined
      else parent.literal?.delete(component)
      if (parent.literal?.size === 0) parent.literal = undefined
      if (parent.any || parent.literal) return
    }
    this.#roots.delete(components.length)
  }

  /** The best match: at the leftmost component in which two patterns differ, a literal precedes an empty one. */
  best(uri: string): Found | undefined {
    return this.#walk(uri, undefined)
  }

  /** Adds all matching patterns, best first. */
  collect(uri: string, into: Found[]): void {
    this.#walk(uri, into)
  }

  /** The number of nodes. */
  get nodes(): number {
    let count = 0
    const waiting: ComponentNode<Found>[] = [...this.#roots.values()]
    for (let at = waiting.pop(); at; at = waiting.pop()) {
      count++
      if (at.any) waiting.push(at.any)
      if (at.literal) waiting.push(...at.literal.values())
    }
    return count
  }

  // An explicit stack: a URI may have more components than the engine has stack frames.
  #walk(uri: string, into: Found[] | undefined): Found | undefined {
    const root = this.#roots.get(countComponents(uri))
    if (!root) return undefined
    const components = uri.split('.')
    const nodes: ComponentNode<Found>[] = [root]
    const depths = [0]
    for (let at = nodes.pop(); at; at = nodes.pop()) {
      const depth = depths.pop() as number
      if (depth === components.length) {
        if (!into) return at.found
        if (at.found !== undefined) into.push(at.found)
        continue
      }
      if (at.any) {
        nodes.push(at.any)
        depths.push(depth + 1)
      }
      const literal = at.literal?.get(components[depth] as string)
      if (literal) {
        nodes.push(literal)
        depths.push(depth + 1)
      }
    }
    return undefined
  }
}

/** The number of components, counted without splitting. */
function countComponents(uri: string): number {
  let found = 1
  for (let at = uri.indexOf('.'); at >= 0; at = uri.indexOf('.', at + 1)) found++
  return found
}

function shapeOf(components: readonly string[]): string {
  let shape = ''
  for (const component of components) shape += component === '' ? '.' : 'x'
  return shape
}
