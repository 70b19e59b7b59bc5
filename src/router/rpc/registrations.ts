/** Registrations: exact or by pattern, exclusive or shared, until the callee unregisters, leaves or is revoked. */

import { REGISTER, REGISTERED, UNREGISTER, UNREGISTERED } from '../../protocol/codes.ts'
import { randomId } from '../../protocol/ids.ts'
import type { Id, RegisterMessage, UnregisterMessage, Uri } from '../../protocol/messages.ts'
import * as names from '../../protocol/names.ts'
import type { InvokePolicy, WireRegisterOptions } from '../../protocol/options.ts'
import { isReserved } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import { type Pattern, Patterns } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import type { Forwarding } from '../member/forwarding.ts'
import type { RouterLimits } from '../member/limits.ts'
import { Refusal, refuseCost, sendError } from '../member/refusal.ts'
import type { RoleRealm } from '../member/role.ts'
import { FEW, STEP } from '../member/turns-of-work.ts'
import { refuseUri } from '../member/uri-rule.ts'
import type { Decision, Outcome } from '../rights/decide.ts'
import { keepTurn } from './choose-callee.ts'
import { recordOf } from './dealer-record.ts'
import type { CallQueue, CallQueueOptions, Queues } from './queue.ts'

/** One callee of one registration. */
export interface CalleeEndpoint {
  readonly callee: Destination
  readonly registration: DealerRegistration
  /** True if it asked for the identity of callers. */
  readonly curious: boolean
  /** True if it enforces timeouts itself. */
  readonly keepsTime: boolean
  /** True if it may decline a call in favour of another callee. */
  readonly declines: boolean
  /** Its greatest number of concurrent invocations; 0 for no limit. */
  readonly concurrency: number
  running: number
}

/** One procedure or pattern with one match policy, and its callees, oldest first; never empty. */
export interface DealerRegistration extends Pattern {
  /** In milliseconds since 1970. */
  readonly created: number
  readonly invoke: InvokePolicy
  readonly endpoints: CalleeEndpoint[]
  /** The index of the next callee for `roundrobin`. */
  turn: number
  /** The queued calls, while there are any. */
  queue: CallQueue | undefined
}

/** The registration id of the router's own procedures; it is not in the index. */
export const OWN: Id = 0

/** A registration of the router's own procedures, and its callee. */
export function ownRegistration(uri: Uri, callee: Destination): DealerRegistration {
  const endpoints: CalleeEndpoint[] = []
  const registration: DealerRegistration = {
    id: OWN,
    uri,
    match: 'exact',
    created: 0,
    invoke: 'single',
    endpoints,
    turn: 0,
    queue: undefined,
  }
  endpoints.push(endpointOf(callee, registration, {}))
  return registration
}

export interface RegistrationOptions {
  readonly strict: boolean
  readonly limits: RouterLimits
  readonly callQueue: readonly CallQueueOptions[]
  readonly forward: Forwarding
}

/** Bytes of a callee's place in a registration, with the registration itself. */
const costOfEndpoint = (uri: Uri): number => 1024 + uri.length

export class Registrations {
  readonly patterns = new Patterns<DealerRegistration>()
  readonly #options: RegistrationOptions
  readonly #realm: RoleRealm
  /** The queues may advance when a callee is added or removed. */
  readonly #queues: Queues
  /** Callees that have left, and have registrations that are still to be removed. */
  readonly #leaving = new Set<Destination>()

  constructor(options: RegistrationOptions, realm: RoleRealm, queues: Queues) {
    this.#options = options
    this.#realm = realm
    this.#queues = queues
  }

  register([, request, options, procedure]: RegisterMessage, callee: Destination, decided: Outcome): void {
    const { match = 'exact', force_reregister } = options
    let registration = this.patterns.get(procedure, match)
    if (this.#dismiss(registration)) registration = undefined
    const refusal =
      decided instanceof Refusal ? decided : this.#refuse(options, procedure, registration, callee, decided)
    if (refusal) {
      sendError(callee, REGISTER, request, refusal)
      this.#refused('register', callee, procedure, refusal)
      return
    }
    if (registration && force_reregister) {
      for (const endpoint of registration.endpoints.slice()) this.#revoke(endpoint, names.UNREGISTERED_BY_FORCE)
      registration = undefined
    }
    registration ??= this.#add(procedure, options)
    const { registrations } = recordOf(callee)
    let endpoint = registrations.get(registration.id)
    const joins = !endpoint
    if (!endpoint) {
      endpoint = endpointOf(callee, registration, options)
      registration.endpoints.push(endpoint)
      registrations.set(registration.id, endpoint)
      callee.account?.charge('registrations', costOfEndpoint(procedure))
      this.#queues.stir(registration)
    }
    callee.send([REGISTERED, request, registration.id])
    if (joins) this.#observe(endpoint)
  }

  unregister([, request, id]: UnregisterMessage, callee: Destination): void {
    const endpoint = callee.rpc?.registrations.get(id)
    if (!endpoint) {
      const refusal = new Refusal(names.NO_SUCH_REGISTRATION, `this session has no registration ${id}`)
      sendError(callee, UNREGISTER, request, refusal)
      this.#refused('unregister', callee, undefined, refusal)
      return
    }
    this.#remove(endpoint)
    callee.send([UNREGISTERED, request])
    this.#unobserve(endpoint)
  }

  /** Removes a callee from a registration, and notifies it if it announced revocation. Returns false if it was not a callee. */
  revoke(registration: DealerRegistration, callee: Destination, reason: string | undefined): boolean {
    const endpoint = callee.rpc?.registrations.get(registration.id)
    if (endpoint) this.#revoke(endpoint, reason)
    return endpoint !== undefined
  }

  /** The registration that serves a call, which a callee that has left cannot. */
  best(procedure: Uri): DealerRegistration | undefined {
    for (;;) {
      const found = this.patterns.best(procedure)
      if (!this.#dismiss(found)) return found
    }
  }

  /**
   * Removes the registrations of a callee that has left. Calls may wait for those that are removed before the first step
   * ends; nothing waits for the others, and `best` does not return them.
   */
  *left(callee: Destination): Generator<void> {
    const first: CalleeEndpoint[] = []
    const later: CalleeEndpoint[] = []
    for (const endpoint of callee.rpc?.registrations.values() ?? []) {
      const { endpoints, queue } = endpoint.registration
      const isIdle = endpoints.length === 1 && !queue
      if (isIdle && first.length + later.length >= FEW) later.push(endpoint)
      else first.push(endpoint)
    }
    // All removals come before any notification: a call that waited for one of them must not go to another.
    for (const endpoint of first) this.#remove(endpoint)
    for (const endpoint of first) this.#unobserve(endpoint)
    if (later.length === 0) return
    this.#leaving.add(callee)
    yield
    let removed = 0
    for (const endpoint of later) {
      if (callee.rpc?.registrations.has(endpoint.registration.id)) {
        this.#remove(endpoint)
        this.#unobserve(endpoint)
      }
      if (++removed % STEP === 0) yield
    }
    this.#leaving.delete(callee)
  }

  /** Removes a registration whose callee has left; false if it has not. */
  #dismiss(registration: DealerRegistration | undefined): boolean {
    const endpoint = registration?.endpoints[0]
    if (!endpoint || this.#leaving.size === 0 || !this.#leaving.has(endpoint.callee)) return false
    this.#remove(endpoint)
    this.#unobserve(endpoint)
    return true
  }

  #refuse(
    options: WireRegisterOptions,
    procedure: Uri,
    existing: DealerRegistration | undefined,
    callee: Destination,
    { disclose, control }: Decision,
  ): Refusal | undefined {
    const { limits } = this.#options
    const { match = 'exact', invoke = 'single', force_reregister, disclose_caller } = options
    const invalid = refuseUri(procedure, 'procedure', this.#options, match)
    if (invalid) return invalid
    if (isReserved(procedure)) return new Refusal(names.INVALID_URI, `${formatValue(procedure)} belongs to the router`)
    if (disclose_caller && disclose === 'never') {
      return new Refusal(names.DISCLOSE_ME_DISALLOWED, 'disclose_caller: this router does not disclose callers')
    }
    if (existing && !force_reregister) {
      if (existing.invoke === 'single' || existing.invoke !== invoke) {
        const how = existing.invoke === 'single' ? '' : ` with invoke: ${existing.invoke}`
        return new Refusal(names.PROCEDURE_ALREADY_EXISTS, `${formatValue(procedure)} is registered already${how}`)
      }
    }
    if (
      existing &&
      force_reregister &&
      !control &&
      !existing.endpoints.every((endpoint) => isSame(endpoint.callee, callee))
    ) {
      return new Refusal(names.NOT_AUTHORIZED, `this session may not take ${formatValue(procedure)} over from others`)
    }
    const { registrations } = recordOf(callee)
    if (existing && registrations.has(existing.id)) return undefined
    if (!existing && !this.patterns.admits(procedure, match, limits.wildcardShapes)) {
      return new Refusal(
        names.LIMIT_EXCEEDED,
        `too many different wildcard shapes with this number of components (limit ${limits.wildcardShapes})`,
      )
    }
    const full = refuseCost(callee, costOfEndpoint(procedure))
    if (full) return full
    if (registrations.size < limits.registrations) return undefined
    return new Refusal(names.LIMIT_EXCEEDED, `a session may have at most ${limits.registrations} registrations`)
  }

  #add(uri: Uri, { match = 'exact', invoke = 'single' }: WireRegisterOptions): DealerRegistration {
    const registration: DealerRegistration = {
      id: this.#newId(),
      uri,
      match,
      created: Date.now(),
      invoke,
      endpoints: [],
      turn: 0,
      queue: undefined,
    }
    this.patterns.add(registration)
    return registration
  }

  #newId(): Id {
    for (;;) {
      const id = randomId()
      if (!this.patterns.find(id)) return id
    }
  }

  #revoke(endpoint: CalleeEndpoint, reason: string | undefined): void {
    const { callee, registration } = endpoint
    this.#remove(endpoint)
    if (callee.announces('callee', 'registration_revocation')) {
      callee.send([UNREGISTERED, 0, { registration: registration.id, ...(reason !== undefined && { reason }) }])
    }
    this.#unobserve(endpoint)
  }

  #remove(endpoint: CalleeEndpoint): void {
    const { callee, registration } = endpoint
    const { endpoints } = registration
    recordOf(callee).registrations.delete(registration.id)
    callee.account?.charge('registrations', -costOfEndpoint(registration.uri))
    const at = endpoints.indexOf(endpoint)
    endpoints.splice(at, 1)
    keepTurn(registration, at)
    if (endpoints.length === 0) this.patterns.delete(registration)
    this.#queues.stir(registration)
  }

  #observe({ callee, registration }: CalleeEndpoint): void {
    const { uri: realm, observers } = this.#realm
    const { id, uri, match, invoke, created, endpoints } = registration
    const first = endpoints.length === 1
    observers.registered?.({ realm, session: callee.id, registration: id, uri, match, invoke, created, first })
  }

  #unobserve({ callee, registration: { id, uri, endpoints } }: CalleeEndpoint): void {
    const { uri: realm, observers } = this.#realm
    observers.unregistered?.({ realm, session: callee.id, registration: id, uri, last: endpoints.length === 0 })
  }

  #refused(
    action: 'register' | 'unregister',
    { id: session }: Destination,
    uri: Uri | undefined,
    { uri: error, text }: Refusal,
  ): void {
    const { uri: realm, observers } = this.#realm
    observers.refused?.({ realm, session, action, uri, error, text, transport: undefined })
  }
}

function endpointOf(
  callee: Destination,
  registration: DealerRegistration,
  options: WireRegisterOptions,
): CalleeEndpoint {
  return {
    callee,
    registration,
    curious: options.disclose_caller === true,
    keepsTime: options.forward_timeout === true && callee.announces('callee', 'call_timeout'),
    declines: callee.announces('callee', 'call_reroute'),
    concurrency: Number(options.concurrency ?? 0),
    running: 0,
  }
}

/** True for one session, and for two of the same principal: an owner that returns after a loss keeps its rights. */
function isSame(one: Destination, other: Destination): boolean {
  return one === other || (one.principal !== undefined && one.principal.authid === other.principal?.authid)
}
