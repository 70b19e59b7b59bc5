/** Testaments: publications that the router makes for a session when it ends. */

import { PUBLISH } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import { checkKeys } from '../../protocol/keys.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { INVALID_ARGUMENT, INVALID_URI, LIMIT_EXCEEDED } from '../../protocol/names.ts'
import type { Dict, List, WirePublishOptions } from '../../protocol/options.ts'
import { type Payload, payload } from '../../protocol/payload.ts'
import { isEmptyDict } from '../../protocol/plain.ts'
import { isReserved } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import { anyOf, isOneOf, TESTAMENT_SCOPES, type TestamentScope } from '../../protocol/words.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import { inBytes, refuseUncarried } from '../member/carriable.ts'
import type { Destination } from '../member/destination.ts'
import type { RouterLimits } from '../member/limits.ts'
import { PASSTHRU, passthruOf } from '../member/passthru.ts'
import { weightOf } from '../member/payload-size.ts'
import { Refusal, refuseCost } from '../member/refusal.ts'
import type { Broker } from '../pubsub/broker.ts'
import { type Decision, refuseDisclosure } from '../rights/decide.ts'
import { answerDecided } from './decided-answer.ts'
import { aDict, aList, aUri, optionalArgument, wrongArgument } from './meta-arguments.ts'
import type { Provided } from './router-procedures.ts'

interface Testament {
  readonly topic: Uri
  readonly options: WirePublishOptions
  readonly payload: Payload | undefined
  /** The decision when it was added. */
  readonly decision: Decision
}

/** The testaments of one session. Sessions cannot be resumed here: one that ends is detached and destroyed at once. */
interface Will extends Readonly<Record<TestamentScope, Testament[]>> {
  readonly of: Destination
  weight: number
}

export interface TestamentStats {
  /** The testaments of all sessions. */
  readonly testaments: number
  readonly dropped: object
}

export const NO_TESTAMENTS: TestamentStats = { testaments: 0, dropped: {} }

export interface MetaApiOptions {
  /** The serializers of all subscribers, as far as they are known. */
  readonly serializers: ReadonlySet<Serializer>
  readonly strict: boolean
  readonly limits: RouterLimits
}

export class Testaments {
  readonly procedures: Readonly<Record<Uri, Provided>>
  readonly #broker: Broker
  readonly #options: MetaApiOptions
  readonly #wills = new Map<Id, Will>()

  constructor(broker: Broker, options: MetaApiOptions) {
    this.#broker = broker
    this.#options = options
    this.procedures = {
      'wamp.session.add_testament': (args, kwargs, caller) => this.#add(args, kwargs, caller),
      'wamp.session.flush_testaments': (_, { scope }, caller) => this.#flush(scopeOf(scope), caller),
    }
  }

  stats(): TestamentStats {
    let testaments = 0
    for (const { detached, destroyed } of this.#wills.values()) testaments += detached.length + destroyed.length
    return { testaments, dropped: {} }
  }

  /** The session has ended: publishes its testaments. */
  execute(session: Id): void {
    const will = this.#wills.get(session)
    if (!will) return
    this.#discard(will)
    for (const { topic, options, payload, decision } of [...will.detached, ...will.destroyed]) {
      // Decided again, synchronously: nobody can wait any more.
      const decided = this.#broker.decide(will.of, topic, options)
      this.#broker.publishTestament(will.of, topic, options, payload, decided instanceof Promise ? decision : decided)
    }
  }

  /** Discards the testaments of a session. */
  forget(session: Id): void {
    const will = this.#wills.get(session)
    if (will) this.#discard(will)
  }

  #discard({ of, weight }: Will): void {
    this.#wills.delete(of.id)
    of.account?.charge('testaments', -weight)
  }

  #add(
    [uri, args, kwargs]: List,
    { publish_options, scope }: Dict,
    caller: Destination,
  ): undefined | Promise<undefined> {
    const { uriLength } = this.#options.limits
    const topic = aUri(uri, 'args[0]', this.#options)
    if (isReserved(topic)) throw new Refusal(INVALID_URI, `${formatValue(topic)} belongs to the router`)
    const data = dataOf(optionalArgument(aList, args, 'args[1]'), optionalArgument(aDict, kwargs, 'args[2]'))
    const options = optionsOf(
      optionalArgument(aDict, publish_options, 'publish_options') ?? {},
      topic,
      caller,
      uriLength,
    )
    const bucket = scopeOf(scope)
    const about = { action: 'publish', uri: topic } as const
    return answerDecided(this.#broker.decide(caller, topic, options), caller, about, (decision): undefined => {
      // Check now, because the session will be gone when the testament is published (it is checked again then).
      const refusal = refuseDisclosure(decision, topic, options.disclose_me === true)
      if (refusal) throw refusal
      const { serializers } = this.#options
      const uncarried = refuseUncarried(serializers, { ...passthruOf(options) }, data)
      if (uncarried) throw uncarried
      this.#keep(caller, bucket, { topic, options, payload: inBytes(serializers, topic, data), decision })
    })
  }

  #keep(caller: Destination, bucket: TestamentScope, testament: Testament): void {
    const { limits } = this.#options
    const weight = weightOf(testament.payload, testament.topic, testament.options)
    const will = this.#wills.get(caller.id) ?? { of: caller, detached: [], destroyed: [], weight: 0 }
    if (will.detached.length + will.destroyed.length >= limits.testaments) {
      throw new Refusal(LIMIT_EXCEEDED, `a session may have at most ${limits.testaments} testaments`)
    }
    if (will.weight + weight > limits.testamentBytes) {
      throw new Refusal(LIMIT_EXCEEDED, `the testaments of a session may have at most ${limits.testamentBytes} bytes`)
    }
    const full = refuseCost(caller, weight)
    if (full) throw full
    will.weight += weight
    caller.account?.charge('testaments', weight)
    will[bucket].push(testament)
    this.#wills.set(caller.id, will)
  }

  #flush(scope: TestamentScope, caller: Destination): undefined {
    const will = this.#wills.get(caller.id)
    if (!will) return
    const before = will.weight
    for (const { topic, options, payload } of will[scope]) will.weight -= weightOf(payload, topic, options)
    caller.account?.charge('testaments', will.weight - before)
    will[scope].length = 0
    if (will.detached.length + will.destroyed.length === 0) this.#wills.delete(caller.id)
  }
}

function scopeOf(scope: unknown): TestamentScope {
  if (scope === undefined || scope === null) return 'destroyed'
  if (isOneOf(TESTAMENT_SCOPES, scope)) return scope
  throw wrongArgument('scope', anyOf(TESTAMENT_SCOPES), scope)
}

/** An empty list or dictionary counts as absent: the call has a place for both. */
function dataOf(args: List = [], kwargs: Dict = {}): Payload | undefined {
  if (!isEmptyDict(kwargs)) return payload(args, kwargs)
  return payload(args.length > 0 ? args : undefined)
}

/** Checks options as PUBLISH would check them for this session. */
function optionsOf(options: Dict, topic: Uri, caller: Destination, longest: number): WirePublishOptions {
  try {
    checkKeys([PUBLISH, 1, options, topic], longest)
  } catch (error) {
    throw new Refusal(INVALID_ARGUMENT, thrown(error).message.replace('PUBLISH[2]', 'publish_options'))
  }
  if (options['ppt_scheme'] !== undefined && !caller.announces('publisher', PASSTHRU)) {
    throw new Refusal(
      INVALID_ARGUMENT,
      'publish_options.ppt_scheme is given, but HELLO did not announce payload_passthru_mode',
    )
  }
  return options
}
