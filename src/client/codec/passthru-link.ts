/** Payload passthru mode for a client: a link around its link that encodes outgoing and decodes incoming payloads. */

import * as codes from '../../protocol/codes.ts'
import { CALL, ERROR, INVOCATION } from '../../protocol/codes.ts'
import { WampError } from '../../protocol/error.ts'
import type {
  CallMessage,
  ErrorMessage,
  EventMessage,
  Id,
  InvocationMessage,
  Message,
  RegisteredMessage,
  ResultMessage,
  SubscribedMessage,
  Uri,
  YieldMessage,
} from '../../protocol/messages.ts'
import { INVALID_ARGUMENT, PAYLOAD_UNREADABLE } from '../../protocol/names.ts'
import type { Dict, List, MatchPolicy, Roles, WireEventDetails } from '../../protocol/options.ts'
import { type Payload, payload } from '../../protocol/payload.ts'
import { matches } from '../../protocol/uri.ts'
import { isDict } from '../../protocol/validate.ts'
import { PASSTHRU } from '../../protocol/words.ts'
import type { Link, LinkSink } from '../../session/link.ts'
import type { CloseInfo } from '../../transport/transport.ts'
import { checkCodec, type PayloadCodec, Talk } from './payload-codec.ts'

/** Receives reports of messages that the link could not deliver. */
export interface PassthruOwner {
  readonly dropped: { events: number }
  raised(error: unknown, procedure?: Uri): void
}

/** The value of a client's option `codecs`, made by `passthru`. */
export interface Passthru {
  (link: Link, owner: PassthruOwner): Link
  /**
   * Decodes the payload of an event that did not arrive in an EVENT, for the subscribed topic or pattern.
   *
   * @throws WampError `wampy.error.payload_unreadable`
   */
  event(
    pattern: { readonly uri: Uri; readonly match: MatchPolicy },
    details: WireEventDetails,
    data: Payload | undefined,
  ): Payload | undefined
}

/**
 * Payload passthru mode: `new WampClient({ codecs: passthru(codec) })` announces it and encodes and decodes payloads
 * of everything the client calls, publishes, serves and subscribes to. Without a codec for a scheme, one item of bytes
 * is sent unchanged if the options name `ppt_scheme`, and received unchanged with the scheme in its details.
 *
 * @throws WampError `wampy.error.usage` for a scheme that WAMP does not allow, and for what is not a codec
 */
export function passthru(...codecs: readonly PayloadCodec[]): Passthru {
  for (const codec of codecs) checkCodec(codec)
  return Object.assign((link: Link, owner: PassthruOwner) => new PassthruLink(link, owner, codecs), {
    event: (pattern: UriPattern, details: WireEventDetails, data: Payload | undefined) =>
      new Talk(codecs, matchingUri(pattern, details.topic), {}).hear('event', details, data),
  })
}

/** A call that this client serves. */
interface ServedCall {
  readonly talk: Talk
  /** True if more parts of it may arrive. */
  more: boolean
  /** True if it was answered: later parts are not decoded. */
  over: boolean
  /** True if its first part could not be decoded: the client never received the call. */
  readonly unheard?: boolean
}

/** The topic or procedure of a subscription or registration. */
interface UriPattern {
  readonly uri: Uri
  readonly match: MatchPolicy
}

class PassthruLink implements Link {
  readonly local?: boolean
  readonly ping?: (answered: () => void) => void
  readonly #link: Link
  readonly #owner: PassthruOwner
  readonly #codecs: readonly PayloadCodec[]
  #roles: Roles = {}
  #sink: LinkSink | undefined
  /** The targets of unanswered SUBSCRIBEs and REGISTERs, and of UNREGISTERs. */
  readonly #requested = new Map<Id, UriPattern>()
  readonly #leaving = new Map<Id, Id>()
  readonly #topics = new Map<Id, UriPattern>()
  readonly #procedures = new Map<Id, UriPattern>()
  /** Calls that this client makes, and those it serves whose answers pass through a codec. */
  readonly #calls = new Map<Id, Talk>()
  readonly #served = new Map<Id, ServedCall>()

  constructor(link: Link, owner: PassthruOwner, codecs: readonly PayloadCodec[]) {
    this.#link = link
    this.#owner = owner
    this.#codecs = codecs
    if (link.local !== undefined) this.local = link.local
    if (link.ping) this.ping = (answered) => link.ping?.(answered)
  }

  get longest(): number | undefined {
    return this.#link.longest
  }

  set longest(length: number | undefined) {
    this.#link.longest = length
  }

  get latest(): number {
    return this.#link.latest ?? 0
  }

  get backlog(): number {
    return this.#link.backlog
  }

  open(sink: LinkSink): void {
    this.#sink = sink
    this.#link.open({
      message: (message) => {
        const heard = this.#hear(message)
        if (heard) sink.message(heard)
      },
      failed: (error: WampError) => sink.failed(error),
      closed: (info: CloseInfo) => sink.closed(info),
    })
  }

  close(code?: number, reason?: string): void {
    this.#link.close(code, reason)
  }

  terminate(): void {
    this.#link.terminate()
  }

  #talk(uri: Uri): Talk {
    return new Talk(this.#codecs, uri, this.#roles)
  }

  // ---- outgoing

  send(message: Message): void {
    switch (message[0]) {
      case codes.HELLO: {
        const [code, realm, details] = message
        this.#link.send([code, realm, { ...details, roles: announcing(details.roles) }])
        break
      }
      case codes.PUBLISH: {
        const [code, request, options, topic, data] = message
        const [said, bytes] = this.#talk(topic).say('event', options, data)
        this.#link.send([code, request, said, topic, bytes])
        break
      }
      case CALL:
        this.#call(message)
        break
      case codes.YIELD:
        this.#answer(message[2].progress === true ? 'progress' : 'result', message)
        break
      case ERROR:
        this.#answer('error', message)
        break
      default:
        if (message[0] === codes.SUBSCRIBE || message[0] === codes.REGISTER) {
          this.#requested.set(message[1], { uri: message[3], match: message[2].match ?? 'exact' })
        }
        if (message[0] === codes.UNSUBSCRIBE) this.#topics.delete(message[2])
        if (message[0] === codes.UNREGISTER) this.#leaving.set(message[1], message[2])
        this.#link.send(message)
    }
  }

  #call([code, request, options, procedure, data]: CallMessage): void {
    const talk = this.#calls.get(request) ?? this.#talk(procedure)
    const meant = procedure === 'wamp.session.add_testament' ? this.#testament(data) : data
    const [said, bytes] = talk.say(options.progress ? 'part' : 'call', options, meant)
    this.#link.send([code, request, said, procedure, bytes])
    // Also for a plain call: its answer may still be encoded.
    this.#calls.set(request, talk)
  }

  /** A testament's event is encoded like a publication. The router reports invalid ones. */
  #testament(data: Payload | undefined): Payload | undefined {
    const [topic, args, kwargs, ...more] = data?.args ?? []
    const { publish_options: given, ...rest } = data?.kwargs ?? {}
    if (typeof topic !== 'string') return data
    const options = isDict(given) ? given : {}
    const event = payload((args ?? []) as List, (kwargs ?? undefined) as Dict | undefined)
    const [said, bytes] = this.#talk(topic).say('event', options, event)
    if (bytes === event) return data
    return payload([topic, bytes?.args, {}, ...more], { ...rest, publish_options: isDict(given ?? {}) ? said : given })
  }

  #answer(kind: 'progress' | 'result' | 'error', message: YieldMessage | ErrorMessage): void {
    const id = message[0] === ERROR ? message[2] : message[1]
    const served = this.#served.get(id)
    if (!served) {
      this.#link.send(message)
      return
    }
    if (message[0] === ERROR) {
      const [code, type, , details, uri, data] = message
      const [said, bytes] = served.talk.say(kind, details, data, uri)
      this.#link.send([code, type, id, said, uri, bytes])
    } else {
      const [code, , options, data] = message
      const [said, bytes] = served.talk.say(kind, options, data)
      this.#link.send([code, id, said, bytes])
    }
    if (kind !== 'progress') this.#over(id, served)
  }

  #over(id: Id, served: ServedCall): void {
    served.over = true
    if (!served.more) this.#served.delete(id)
  }

  // ---- incoming

  #hear(message: Message): Message | undefined {
    switch (message[0]) {
      case codes.WELCOME:
        this.#roles = message[2].roles ?? {}
        return message
      case codes.SUBSCRIBED:
        return this.#granted(this.#topics, message)
      case codes.REGISTERED:
        return this.#granted(this.#procedures, message)
      case codes.UNSUBSCRIBED:
        this.#topics.delete(message[2]?.['subscription'] as Id)
        return message
      case codes.UNREGISTERED:
        this.#procedures.delete((message[1] ? this.#leaving.get(message[1]) : message[2]?.['registration']) as Id)
        this.#leaving.delete(message[1])
        return message
      case codes.RESULT:
        return this.#result(message)
      case ERROR:
        return this.#error(message)
      case codes.EVENT:
        return this.#event(message)
      case INVOCATION:
        return this.#invocation(message)
      case codes.INTERRUPT: {
        const [, id, { mode }] = message
        const served = this.#served.get(id)
        // The dealer does not wait for an answer, and the procedure does not send one.
        if (served && (mode === 'killnowait' || mode === 'skip')) this.#over(id, served)
        return message
      }
      default:
        return message
    }
  }

  #granted(table: Map<Id, UriPattern>, message: SubscribedMessage | RegisteredMessage): Message {
    const pattern = this.#requested.get(message[1])
    this.#requested.delete(message[1])
    if (pattern) table.set(message[2], pattern)
    return message
  }

  #result(message: ResultMessage): Message {
    const [code, request, details, data] = message
    const talk = this.#calls.get(request)
    if (!talk) return message
    if (!details.progress) this.#calls.delete(request)
    try {
      return [code, request, details, talk.hear(details.progress ? 'progress' : 'result', details, data)]
    } catch (error) {
      // The call has failed for its caller; later parts must not be delivered.
      if (this.#calls.delete(request) && this.#roles['dealer']?.features?.['call_canceling']) {
        this.#link.send([codes.CANCEL, request, { mode: 'killnowait' }])
      }
      return [ERROR, CALL, request, details, ...failureOf(error)]
    }
  }

  #error(message: ErrorMessage): Message {
    const [code, type, request, details, uri, data] = message
    if (type !== CALL) {
      this.#requested.delete(request)
      this.#leaving.delete(request)
      return message
    }
    const talk = this.#calls.get(request)
    this.#calls.delete(request)
    if (!talk) return message
    try {
      return [code, type, request, details, uri, talk.hear('error', details, data, uri)]
    } catch (error) {
      return [code, type, request, details, ...failureOf(error)]
    }
  }

  #event(message: EventMessage): Message | undefined {
    const [code, subscription, publication, details, data] = message
    const pattern = this.#topics.get(subscription)
    if (!pattern) {
      // Unsubscribed meanwhile: the client would not read the event either.
      this.#owner.dropped.events++
      return undefined
    }
    try {
      const heard = this.#talk(matchingUri(pattern, details.topic)).hear('event', details, data)
      return [code, subscription, publication, details, heard]
    } catch (error) {
      this.#owner.dropped.events++
      this.#owner.raised(error)
      return undefined
    }
  }

  #invocation(message: InvocationMessage): Message | undefined {
    const [code, id, registration, details, data] = message
    const pattern = this.#procedures.get(registration)
    const known = this.#served.get(id)
    const more = details.progress === true
    if (known?.over || !pattern) {
      if (known && !more) this.#served.delete(id)
      return known?.unheard ? undefined : message
    }
    try {
      const talk = known?.talk ?? this.#talk(matchingUri(pattern, details.procedure))
      const heard = talk.hear(more ? 'part' : 'call', details, data)
      if (known) known.more = more
      else if (talk.coded) this.#served.set(id, { talk, more, over: false })
      return [code, id, registration, details, heard]
    } catch (error) {
      this.#owner.raised(error, details.procedure ?? pattern.uri)
      const { uri, message: text } = error as WampError
      // The reason is for the operator, not for the sender of the bytes.
      const said = uri === PAYLOAD_UNREADABLE ? 'the payload could not be read' : text
      this.#link.send([ERROR, INVOCATION, id, {}, INVALID_ARGUMENT, payload([said])])
      if (known) {
        this.#over(id, known)
        this.#sink?.message([codes.INTERRUPT, id, { mode: 'killnowait' }])
      } else if (more) this.#served.set(id, { talk: this.#talk(pattern.uri), more, over: true, unheard: true })
      return undefined
    }
  }
}

/** The URI of a payload, checked against the pattern: a wrong URI would select a wrong key, or none. */
function matchingUri({ uri, match }: UriPattern, given: Uri = uri): Uri {
  if (matches(given, uri, match)) return given
  throw new WampError(PAYLOAD_UNREADABLE, [`${given} does not match the ${match} pattern ${uri}`])
}

function failureOf(error: unknown): [uri: Uri, data: ReturnType<typeof payload>] {
  const { uri, message } = error as WampError
  return [uri, payload([message])]
}

function announcing(roles: Roles): Roles {
  return Object.fromEntries(
    Object.entries(roles).map(([role, { features }]) => [role, { features: { ...features, [PASSTHRU]: true } }]),
  )
}
