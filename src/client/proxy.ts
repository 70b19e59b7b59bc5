/** `client.rpc`: property access walks dotted names, a call calls the procedure. */

import type { Uri } from '../protocol/messages.ts'

export type Caller = (uri: Uri, args: unknown[]) => unknown

/**
 * Properties that consoles, test runners and frameworks read to inspect a value. A procedure with such a name can be
 * called with `client.call`.
 */
const NOT_NAMES =
  /^(then|catch|finally|toJSON|\$\$typeof|nodeType|asymmetricMatch|constructor|prototype|inspect|__.*|@@.*)$/

/** A callable walk over names. `uriOf` turns the names so far into a URI. */
export function names(call: Caller, uriOf: (path: string) => Uri, path = ''): object {
  const children = new Map<string, object>()
  const target = (...args: unknown[]) => call(uriOf(path), args)
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === 'symbol' || NOT_NAMES.test(name)) return undefined
      // Read when the proxy is converted to text; without an answer that would be a call.
      if (name === 'toString' || name === 'valueOf') return () => `rpc ${path}`
      const known = children.get(name) ?? names(call, uriOf, path ? `${path}.${name}` : name)
      children.set(name, known)
      return known
    },
    has: () => false,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  })
}
