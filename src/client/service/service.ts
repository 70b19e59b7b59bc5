/** The declarations of a service's class, ready to be registered and subscribed. */

import { unsent, usage } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { INVALID_URI } from '../../protocol/names.ts'
import type { Dict, List, MatchPolicy } from '../../protocol/options.ts'
import { isPattern } from '../../protocol/uri.ts'
import { checkOptions } from '../checks.ts'
import type { Client } from '../client.ts'
import type { Endpoint } from '../roles/callee.ts'
import type { Entrypoint } from '../roles/entrypoints.ts'
import type { EventDetails, EventHandler } from '../roles/subscriber.ts'
import { type Declared, type DeclaredKind, declaredBy, methodUri, type ServiceClass } from './decorators.ts'
import type { TopicToken } from './topic.ts'

/** The first parameter of a `@subscribe({ event: true })` method. */
export interface ReceivedEvent<Args extends List = List, Kwargs extends object = Dict> {
  readonly args: Args
  readonly kwargs: Kwargs
  readonly details: EventDetails
  readonly topic: Uri
  readonly publication: Id
}

export interface Declarations {
  readonly procedures: { uri: Uri; endpoint: Endpoint; options: Dict; entrypoint?: Entrypoint }[]
  readonly topics: { uri: Uri; handler: EventHandler; options: Dict }[]
}

/** @throws WampError `wampy.error.usage` for a missing method, `wamp.error.invalid_uri` for an invalid URI */
export function declarations(service: object, prefix: string | undefined): Declarations {
  const made = service.constructor
  const front = prefix ?? (made as ServiceClass).prefix
  const procedures: Declarations['procedures'] = [...declaredBy('rpc', made, service).values()].map((declared) => {
    const { invocation: wanted, uri: _, doc: __, args, kwargs, input, result, ...options } = declared.options
    const method = methodOf(service, declared)
    const plain: Endpoint = (args, _kwargs, _details, invocation) =>
      wanted ? method(invocation, ...args) : method(...args)
    const checks = args || kwargs || input || result
    const endpoint = checks ? (declared.checked ?? unchecked)(plain, { args, kwargs, input, result }) : plain
    const entrypoint: Entrypoint = [made as Entrypoint[0], declared.method]
    return { uri: declaredUri('rpc', declared, options, front), endpoint, options, entrypoint }
  })
  const { describe } = made as ServiceClass
  // Any number of instances may serve the description.
  if (describe) procedures.push({ ...describe(service, front), options: { invoke: 'roundrobin' } })
  const topics = [...declaredBy('subscribe', made, service).values()].map((declared) => {
    const { event: wanted, uri: _, doc: __, topic, ...options } = declared.options
    const method = methodOf(service, declared)
    const handler: EventHandler = (args, kwargs, details) => {
      if (!wanted) return method(...args)
      const { topic, publication } = details
      return method({ args, kwargs, details, topic, publication } satisfies ReceivedEvent, ...args)
    }
    return {
      uri: declaredUri('subscribe', declared, options, front),
      handler: (topic as TopicToken | undefined)?.handler?.(service as Client, handler) ?? handler,
      options,
    }
  })
  return { procedures, topics }
}

function unchecked(): never {
  throw usage('schemas in a static field go through rpc({ ... })')
}

function methodOf(service: object, { kind, method }: Declared): (...args: unknown[]) => unknown {
  const methods = service as Record<string, (...args: unknown[]) => unknown>
  if (typeof methods[method] !== 'function') {
    throw usage(`${service.constructor.name} has no method "${method}", which it declares for ${kind}`)
  }
  // Looked up at each call, so that a method replaced later, for example by a test's spy, runs.
  return (...args) => (methods[method] as (...args: unknown[]) => unknown)(...args)
}

function declaredUri(kind: DeclaredKind, declared: Declared, options: Dict, prefix: string | undefined): Uri {
  checkOptions(options, `, declared for ${kind} "${declared.method}",`)
  const uri = methodUri(declared, declared.method, prefix)
  const { match } = options as { match?: MatchPolicy }
  if (isPattern(uri, match)) return uri
  throw unsent(INVALID_URI, `"${uri}", declared for ${kind} "${declared.method}", is not a valid URI`)
}
