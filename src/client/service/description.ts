/** The description of a service for its callers: `static describe = description` in its class. */

import { usage } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { type Declared, type DeclaredKind, declaredBy, methodUri, type ServiceClass } from './decorators.ts'

export interface ParameterDescription {
  /** As in the source; a minifier may have renamed it. */
  readonly name: string
  /** True if it has a default value. */
  readonly optional?: true
  /** True for a rest parameter. */
  readonly rest?: true
}

export interface ProcedureDescription {
  readonly uri: Uri
  readonly method: string
  readonly parameters: readonly ParameterDescription[]
  /** True for an async generator, whose progressive results can be read in a loop. */
  readonly stream?: true
  readonly match?: string
  readonly doc?: string
}

export interface TopicDescription {
  readonly uri: Uri
  readonly method: string
  readonly match?: string
  readonly doc?: string
}

/** The description of a service. */
export interface ServiceDescription {
  /** The name of the class. */
  readonly service: string
  readonly prefix: string
  readonly doc?: string
  readonly procedures: readonly ProcedureDescription[]
  /** The topics that it subscribes to. */
  readonly topics: readonly TopicDescription[]
}

/**
 * The URI of the description of a service: `com.example.shop.wampy.describe`. No method's URI has two components after
 * the prefix, so nothing clashes with it.
 *
 * @throws WampError `wampy.error.usage` without a prefix
 */
export function describedAt(prefix: string | undefined): Uri {
  if (!prefix) throw usage('a service that describes itself has a prefix')
  return methodUri(undefined, 'wampy.describe', prefix)
}

/** The value of a class's `static describe`: serves its declarations under its prefix. */
export function description(
  service: object,
  prefix: string | undefined,
): { uri: Uri; endpoint: () => ServiceDescription } {
  const uri = describedAt(prefix)
  const made = service.constructor as unknown as ServiceClass & { readonly name: string; readonly doc?: string }
  const all = (kind: DeclaredKind): Declared[] => [...declaredBy(kind, made, service).values()]
  const common = ({ method, options, ...declared }: Declared) => ({
    uri: methodUri({ method, options, ...declared }, method, prefix),
    method,
    ...(typeof options['match'] === 'string' && { match: options['match'] }),
    ...(options.doc && { doc: options.doc }),
  })
  return {
    uri,
    endpoint: () => ({
      service: made.name,
      prefix: prefix as string,
      ...(typeof made.doc === 'string' && { doc: made.doc }),
      procedures: all('rpc').map((declared) => {
        const method = (service as Record<string, unknown>)[declared.method]
        const [first, ...rest] = parametersOf(method)
        const parameters = declared.options.invocation || !first ? rest : [first, ...rest]
        const stream = Object.prototype.toString.call(method) === '[object AsyncGeneratorFunction]'
        return { ...common(declared), parameters, ...(stream && { stream }) }
      }),
      topics: all('subscribe').map(common),
    }),
  }
}

/** The parameters of a function, read from its source. A destructured parameter is named after its position. */
export function parametersOf(method: unknown): ParameterDescription[] {
  const source = String(method).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const parameters: ParameterDescription[] = []
  let depth = 0
  let text = ''
  let quote = ''
  const add = () => {
    const [, rest, name, more] = /^(\.{3})?([\p{ID_Start}$_][\p{ID_Continue}$]*)?(.*)$/su.exec(text.trim()) ?? []
    if (name || more) {
      // A destructuring pattern may have a default after its closing bracket.
      const optional = name ? more?.includes('=') : /[\]}]\s*=/.test(more ?? '')
      parameters.push({
        name: name ?? `arg${parameters.length}`,
        ...(optional && { optional }),
        ...(rest && { rest: true }),
      })
    }
    text = ''
  }
  for (let at = source.indexOf('('); at >= 0 && at < source.length; at++) {
    const char = source[at] as string
    if (quote) {
      if (char === '\\') text += source[at++]
      else if (char === quote) quote = ''
    } else if (/["'`]/.test(char)) quote = char
    else if (/[([{]/.test(char)) {
      if (++depth === 1) continue
    } else if (/[)\]}]/.test(char)) {
      if (--depth === 0) {
        add()
        break
      }
    } else if (char === ',' && depth === 1) {
      add()
      continue
    }
    text += source[at]
  }
  return parameters
}
