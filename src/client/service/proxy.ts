/** `client.rpc`: property access walks dotted names, a call calls the procedure. */

import { usage } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { formatValue } from '../../protocol/validate.ts'

export type Caller = (uri: Uri, args: unknown[]) => unknown

/**
 * Properties that consoles, test runners and frameworks read to inspect a value. A procedure with such a name can be
 * called with `client.call`.
 */
const NOT_NAMES =
  /^(then|catch|finally|toJSON|\$\$typeof|nodeType|asymmetricMatch|constructor|prototype|inspect|__.*|@@.*)$/

/** The key of a walk's own URI: a name could be that of a procedure. The same in all copies of this library. */
const URI_KEY = /* @__PURE__ */ Symbol.for('wampy-ts.uri')

/** A callable walk over names. `toUri` turns the names so far into a URI. */
export function names(call: Caller, toUri: (path: string) => Uri, path = ''): object {
  const children = new Map<string, object>()
  const target = (...args: unknown[]) => call(toUri(path), args)
  return new Proxy(target, {
    get(_, name) {
      if (name === URI_KEY) return path && toUri(path)
      if (typeof name === 'symbol' || NOT_NAMES.test(name)) return undefined
      // Read when the proxy is converted to text; without an answer that would be a call.
      if (name === 'toString' || name === 'valueOf') return () => `rpc ${path}`
      const known = children.get(name) ?? names(call, toUri, path ? `${path}.${name}` : name)
      children.set(name, known)
      return known
    },
    has: () => false,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  })
}

/**
 * The URI of a typed procedure: `uriOf(client.rpc.price)` is `com.example.shop.price`. The procedure is a property of `rpc`
 * or `stream`, of a client, a service or `with(...)`.
 *
 * @throws WampError `wampy.error.usage` for anything else
 */
// biome-ignore lint/suspicious/noExplicitAny: a procedure may take and return anything
export function uriOf(procedure: (...args: any[]) => unknown): Uri {
  const uri = (procedure as { readonly [URI_KEY]?: Uri } | null | undefined)?.[URI_KEY]
  if (!uri) throw usage(`uriOf expects a procedure, such as client.rpc.price, got ${formatValue(procedure)}`)
  return uri
}
