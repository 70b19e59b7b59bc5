/** The client with all four roles, and the services that extend it. */

import { usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { DURATION, FLAG } from '../protocol/option-rules.ts'
import { isPattern } from '../protocol/uri.ts'
import { checkFunction, checkOptions, checkUri, type OperationRules } from './checks.ts'
import { Client, coreOf } from './client.ts'
import { stopDraining } from './draining-stop.ts'
import { type ClientKind, type ClientOptions, withKind } from './options.ts'
import { callee, type Endpoint, type RegisterOptions, type Registration, RegistrationRecord } from './roles/callee.ts'
import { caller } from './roles/caller.ts'
import { publisher } from './roles/publisher.ts'
import { SubscriptionRecord, subscriber } from './roles/subscriber.ts'
import { declaredBy } from './service/decorators.ts'
import { declarations } from './service/service.ts'

export interface StopOptions {
  /**
   * Milliseconds in which the work in progress may finish: invocations may answer, and the requests of this client be
   * answered. True for 8000, which is less than Docker's 10 s; false or 0 for none. Default false.
   */
  readonly drain?: boolean | number | undefined
}

const STOP_RULES: OperationRules = {
  drain: ['true, false or milliseconds', (value) => FLAG[1](value) || DURATION[1](value)],
}

/** Names that a method of a service cannot have: fields of clients, and what later versions will add. */
const RESERVED = ['name', 'dropped', 'codecs', 'interceptors', 'auth', 'logout']

/** @throws WampError `wampy.error.usage` for a declared method that would take the place of a member of the client */
function checkNames(client: object): void {
  const { constructor: Class } = client
  for (const kind of ['rpc', 'subscribe'] as const) {
    for (const method of declaredBy(kind, Class, client).keys()) {
      if (!(method in WampClient.prototype) && !RESERVED.includes(method)) continue
      throw usage(
        `${Class.name} declares ${kind} "${method}", which every client has or will have itself: ` +
          `give the method another name, and its URI to ${kind}({ uri })`,
      )
    }
  }
}

const WAMP_CLIENT: ClientKind = {
  name: 'WampClient',
  type: () => WampClient,
  roles: [caller, callee, publisher, subscriber],
  startsItself: false,
  declared(client, core, { prefix }) {
    checkNames(client)
    const { procedures, topics } = declarations(client, prefix)
    if (procedures.length) core.mayPlay('callee')
    if (topics.length) core.mayPlay('subscriber')
    return [
      ...procedures.map((it) => new RegistrationRecord(core.handles, it.uri, it.endpoint, it.options, it.entrypoint)),
      ...topics.map((it) => new SubscriptionRecord(core.handles, it.uri, it.handler, it.options)),
    ]
  },
}

/**
 * A client of a WAMP router, in all four roles. A subclass with `@rpc` and `@subscribe` methods is a service:
 * `start()` joins the realm and registers them.
 *
 * @throws WampError `wampy.error.usage` for options that cannot work
 */
export class WampClient extends Client {
  constructor(options: ClientOptions = {}) {
    super(withKind(options, WAMP_CLIENT, new.target))
    checkNames(this)
  }

  /**
   * As of every client. With `drain` it first unregisters every procedure, refuses the invocations that still arrive with
   * `wamp.error.unavailable`, so that another callee has them, and waits for the work in progress. A loss of the
   * connection or another `stop()` ends that at once; `start()` joins again when it is over.
   *
   * @throws WampError `wampy.error.usage` for an option of a wrong type
   */
  override async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, '', STOP_RULES)
    const { drain } = options
    if (drain) await stopDraining(coreOf(this), drain === true ? 8000 : drain)
    else await super.stop()
  }

  /** The handles that are not closed, including those of a service's `@rpc` methods. */
  get registrations(): Registration[] {
    return coreOf(this).handles.of(RegistrationRecord)
  }

  /** Registers a procedure until the handle is closed; waits as `subscribe` does. */
  register(procedure: Uri, endpoint: Endpoint, options: RegisterOptions = {}): Promise<Registration> {
    const core = coreOf(this)
    return core.add(() => {
      core.mayPlay('callee')
      checkOptions(options)
      checkUri(procedure, isPattern(procedure, options.match))
      checkFunction('endpoint', endpoint)
      const { signal: _, timeout: __, ...wire } = options
      return new RegistrationRecord(core.handles, procedure, endpoint, wire)
    }, options)
  }
}
