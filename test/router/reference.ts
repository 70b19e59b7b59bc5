/** A dealer written from the specification alone, slow and plain, to compare the real one with. */

import {
  CALL,
  ERROR,
  INTERRUPT,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
} from 'wampy-ts/testing'
import { TEXT } from './support.ts'

/** A session as the reference sees it. */
export class Party {
  readonly lacks: readonly string[]
  readonly id: number
  /** The messages that it must receive. */
  heard: unknown[][] = []
  there = true
  invoked = 0
  constructor(id: number, lacks: readonly string[]) {
    this.id = id
    this.lacks = lacks
  }
  has(feature: string): boolean {
    return !this.lacks.includes(feature)
  }
}

interface Place {
  readonly party: Party
  readonly concurrency: number
  readonly keepsTime: boolean
  readonly curious: boolean
}

/** A registration; `id` is the router's id for it, once known. */
export class Served {
  id: number | undefined
  places: Place[] = []
  turn = 0
  readonly uri: string
  readonly match: string
  readonly invoke: string
  constructor(uri: string, match: string, invoke: string) {
    this.uri = uri
    this.match = match
    this.invoke = invoke
  }
}

interface Asked {
  readonly caller: Party
  readonly request: number
  readonly uri: string
  readonly options: Record<string, unknown>
  /** All parts received, each with whether more follow; those from `sent` on have not been passed on. */
  readonly parts: { more: boolean; args: unknown }[]
  sent: number
  place: Place | undefined
  served: Served | undefined
  invocation: number
  talks: boolean
  /** True if another callee may still receive it. */
  fresh: boolean
  killed: boolean
  /** The registration in whose queue it waits. */
  waits: Served | undefined
  declined: Party[]
  expires: number | undefined
  began: number | undefined
  details: object
}

/** The calls that may wait for one registration. */
export const LIMIT = 3

export class Reference {
  now = 0
  readonly queueing: boolean
  served: Served[] = []
  /** Pending calls, the oldest first. */
  asked: Asked[] = []
  /** Calls that ended before their last part, by caller and request. */
  readonly unfinished = new Map<Party, Map<number, string>>()
  /** Ended calls that still occupy callees which cannot be interrupted. */
  ghosts: { place: Place; invocation: number }[] = []

  constructor(queueing: boolean) {
    this.queueing = queueing
  }

  register(party: Party, request: number, options: Record<string, unknown>, uri: string): void {
    const { match = 'exact', invoke = 'single', force_reregister: force } = options as Record<string, string>
    const before = this.served.find((it) => it.uri === uri && it.match === match)
    let served = before
    if (before && force) {
      for (const place of before.places.slice()) {
        this.#out(before, place)
        if (place.party.has('registration_revocation')) {
          place.party.heard.push([UNREGISTERED, 0, { registration: before, reason: 'wamp.error.unregistered' }])
        }
      }
      served = undefined
    } else if (before && (before.invoke === 'single' || before.invoke !== invoke)) {
      this.#refuse(party, REGISTER, request, 'wamp.error.procedure_already_exists')
      return
    }
    if (!served) {
      served = new Served(uri, match as string, invoke as string)
      this.served.push(served)
    }
    if (!served.places.some((place) => place.party === party)) {
      served.places.push({
        party,
        concurrency: (options['concurrency'] as number) ?? 0,
        keepsTime: options['forward_timeout'] === true && party.has('call_timeout'),
        curious: options['disclose_caller'] === true,
      })
    }
    party.heard.push([REGISTERED, request, served])
    this.#advance()
  }

  unregister(party: Party, request: number, served: Served | undefined): void {
    const place = served?.places.find((it) => it.party === party)
    if (!served || !place) {
      this.#refuse(party, UNREGISTER, request, 'wamp.error.no_such_registration')
      return
    }
    this.#out(served, place)
    party.heard.push([UNREGISTERED, request])
    this.#advance()
  }

  call(caller: Party, request: number, options: Record<string, unknown>, uri: string, args: unknown): void {
    const more = options['progress'] === true
    const known = this.asked.find((it) => it.caller === caller && it.request === request)
    if (known) {
      known.parts.push({ more, args })
      if (known.killed) known.sent = known.parts.length
      else if (!known.waits) this.#passOn(known)
      return
    }
    const late = this.unfinished.get(caller)
    if (late?.has(request)) {
      if (!more) late.delete(request)
      return
    }
    const served = this.#best(uri)
    if (!served) {
      this.#refuse(caller, CALL, request, 'wamp.error.no_such_procedure')
      if (more) this.#unfinish(caller, request, uri)
      return
    }
    const asked: Asked = {
      caller,
      request,
      uri,
      options,
      parts: [{ more, args }],
      sent: 0,
      place: undefined,
      served: undefined,
      invocation: 0,
      talks: false,
      fresh: false,
      killed: false,
      waits: undefined,
      declined: [],
      expires: undefined,
      began: undefined,
      details: {},
    }
    this.asked.push(asked)
    this.#route(asked, served)
    this.#advance()
  }

  cancel(caller: Party, request: number, mode = 'killnowait'): void {
    const asked = this.asked.find((it) => it.caller === caller && it.request === request)
    if (!asked || asked.killed) return
    const callee = asked.place?.party
    if (mode === 'kill' && callee?.has('call_canceling')) {
      asked.killed = true
      asked.fresh = false
      callee.heard.push([INTERRUPT, asked.invocation, { mode: 'kill' }])
      return
    }
    this.#abandon(asked, mode === 'skip' ? undefined : { mode: 'killnowait' })
    this.#refuse(caller, CALL, request, 'wamp.error.canceled')
    this.#advance()
  }

  yield(callee: Party, invocation: number, partial: boolean, args: unknown): void {
    const asked = this.#at(callee, invocation, !partial)
    if (!asked) return
    if (partial) {
      if (!asked.talks) return
      asked.fresh = false
      if (asked.expires !== undefined) asked.expires = this.now + (asked.options['timeout'] as number)
      asked.caller.heard.push([RESULT, asked.request, { progress: true }, args])
      return
    }
    this.#over(asked)
    asked.caller.heard.push([RESULT, asked.request, {}, args])
    this.#advance()
  }

  error(callee: Party, invocation: number, uri: string): void {
    const asked = this.#at(callee, invocation, true)
    if (!asked) return
    if (uri === 'wamp.error.unavailable' && asked.fresh) {
      const { served, place } = asked as { served: Served; place: Place }
      asked.declined.push(place.party)
      asked.place = undefined
      asked.sent = 0
      this.#route(asked, served)
    } else {
      this.#over(asked)
      asked.caller.heard.push([ERROR, CALL, asked.request, {}, uri])
    }
    this.#advance()
  }

  leave(party: Party): void {
    party.there = false
    for (const served of this.served.slice()) {
      const place = served.places.find((it) => it.party === party)
      if (place) this.#out(served, place)
    }
    for (const asked of this.asked.filter((it) => it.caller === party)) this.#abandon(asked, { mode: 'killnowait' })
    for (const asked of this.asked
      .filter((it) => it.place?.party === party)
      .sort((a, b) => a.invocation - b.invocation)) {
      this.#over(asked)
      this.#refuse(asked.caller, CALL, asked.request, 'wamp.error.canceled')
    }
    this.ghosts = this.ghosts.filter(({ place }) => place.party !== party)
    this.#advance()
  }

  pass(time: number): void {
    const until = this.now + time
    for (;;) {
      const due = this.asked
        .filter((it) => it.expires !== undefined && it.expires <= until)
        .sort((a, b) => (a.expires as number) - (b.expires as number))[0]
      if (!due) break
      this.now = due.expires as number
      this.#abandon(due, { mode: 'killnowait', reason: 'wamp.error.timeout' })
      this.#refuse(due.caller, CALL, due.request, 'wamp.error.timeout')
      this.#advance()
    }
    this.now = until
  }

  get queued(): number {
    return this.asked.filter(({ waits }) => waits).length
  }

  #best(uri: string): Served | undefined {
    const exact = this.served.find((it) => it.match === 'exact' && it.uri === uri)
    if (exact) return exact
    const prefixes = this.served.filter((it) => it.match === 'prefix' && uri.startsWith(it.uri))
    if (prefixes.length > 0) return prefixes.sort((a, b) => b.uri.length - a.uri.length)[0]
    const words = uri.split('.')
    const literal = (it: Served): string =>
      it.uri
        .split('.')
        .map((word) => (word === '' ? '0' : '1'))
        .join('')
    return this.served
      .filter((it) => {
        const pattern = it.uri.split('.')
        return (
          it.match === 'wildcard' && pattern.length === words.length && pattern.every((p, i) => !p || p === words[i])
        )
      })
      .sort((a, b) => (literal(a) < literal(b) ? 1 : -1))[0]
  }

  #running(place: Place): number {
    const ghosts = this.ghosts.filter((it) => it.place === place).length
    return ghosts + this.asked.filter((it) => it.place === place).length
  }

  #full(place: Place): boolean {
    return place.concurrency > 0 && this.#running(place) >= place.concurrency
  }

  /** The next callee of a call: none, if none is left or the call must wait. */
  #choose(asked: Asked, served: Served): Place | 'full' | undefined {
    const left = (place: Place): boolean => !asked.declined.includes(place.party)
    const { places } = served
    if (served.invoke === 'roundrobin') {
      const round = places.map((_, i) => (served.turn + i) % places.length)
      const at = round.find((i) => left(places[i] as Place) && !this.#full(places[i] as Place))
      if (at === undefined) return places.some(left) ? 'full' : undefined
      served.turn = at + 1
      return places[at]
    }
    const place = (served.invoke === 'last' ? places.slice().reverse() : places).find(left)
    return place && this.#full(place) ? 'full' : place
  }

  #route(asked: Asked, served: Served): void {
    const place = this.#choose(asked, served)
    const waiting = this.asked.filter((it) => it.waits === served).length
    if (place !== 'full') this.#give(asked, served, place)
    else if (!this.queueing || waiting >= LIMIT) this.#fail(asked, 'crossbar.error.max_concurrency_reached')
    else {
      asked.waits = served
      this.#time(asked, false)
    }
  }

  #give(asked: Asked, served: Served, place: Place | undefined): void {
    asked.waits = undefined
    const { caller, options, uri } = asked
    const has = (feature: string): boolean => place?.party.has(feature) === true
    if (!place) this.#fail(asked, 'wamp.error.no_available_callee')
    else if (options['progress'] && !(has('progressive_call_invocations') && has('call_canceling'))) {
      this.#fail(asked, 'wamp.error.feature_not_supported')
    } else {
      asked.place = place
      asked.served = served
      asked.invocation = ++place.party.invoked
      asked.fresh = has('call_reroute')
      asked.talks = options['receive_progress'] === true && has('progressive_call_results')
      const timeout = this.#time(asked, place.keepsTime)
      asked.details = {
        ...(served.match !== 'exact' && { procedure: uri }),
        ...(asked.talks && { receive_progress: true }),
        ...(timeout && { timeout }),
        ...((options['disclose_me'] || place.curious) && {
          caller: caller.id,
          caller_authid: TEXT,
          caller_authrole: 'anonymous',
        }),
      }
      this.#passOn(asked)
    }
  }

  #passOn(asked: Asked): void {
    const { place, served, invocation } = asked
    for (; asked.sent < asked.parts.length; asked.sent++) {
      const { more, args } = asked.parts[asked.sent] as Asked['parts'][0]
      if (asked.sent > 0) asked.fresh = false
      const details = { ...asked.details, ...(more && { progress: true }) }
      place?.party.heard.push([INVOCATION, invocation, served, details, args])
    }
  }

  /** Starts the timeout, or leaves it to the callee and returns its length. */
  #time(asked: Asked, forwarded: boolean): number | undefined {
    const timeout = asked.options['timeout'] as number | undefined
    if (!timeout || asked.expires !== undefined) return undefined
    const left = Math.max(1, timeout - (asked.began === undefined ? 0 : this.now - asked.began))
    if (forwarded) {
      asked.began ??= this.now
      return left
    }
    asked.expires = this.now + left
    return undefined
  }

  /** Serves the queues until no queued call can run. */
  #advance(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const asked of this.asked.filter(({ waits }) => waits)) {
        const served = asked.waits as Served
        if (served.places.length === 0) {
          asked.waits = undefined
          const other = this.#best(asked.uri)
          if (other) this.#route(asked, other)
          else this.#fail(asked, 'wamp.error.no_such_procedure')
        } else {
          const place = this.#choose(asked, served)
          if (place === 'full') continue
          this.#give(asked, served, place)
        }
        moved = true
        break
      }
    }
  }

  #at(callee: Party, invocation: number, final: boolean): Asked | undefined {
    const found = this.asked.find((it) => it.place?.party === callee && it.invocation === invocation)
    if (!found && final) {
      this.ghosts = this.ghosts.filter((it) => it.place.party !== callee || it.invocation !== invocation)
      this.#advance()
    }
    return found
  }

  #abandon(asked: Asked, interrupt: object | undefined): void {
    const { place, invocation, killed } = asked
    this.#over(asked)
    if (!place?.party.there) return
    if (interrupt && place.party.has('call_canceling')) {
      if (!killed) place.party.heard.push([INTERRUPT, invocation, interrupt])
    } else if (place.concurrency > 0) this.ghosts.push({ place, invocation })
  }

  #fail(asked: Asked, uri: string): void {
    this.#over(asked)
    this.#refuse(asked.caller, CALL, asked.request, uri)
  }

  #over(asked: Asked): void {
    this.asked = this.asked.filter((it) => it !== asked)
    asked.waits = undefined
    if (asked.parts.at(-1)?.more) this.#unfinish(asked.caller, asked.request, asked.uri)
  }

  #unfinish(caller: Party, request: number, uri: string): void {
    const known = this.unfinished.get(caller) ?? new Map()
    known.set(request, uri)
    this.unfinished.set(caller, known)
  }

  #out(served: Served, place: Place): void {
    const at = served.places.indexOf(place)
    served.places.splice(at, 1)
    if (at < served.turn) served.turn--
    if (served.places.length === 0) this.served = this.served.filter((it) => it !== served)
  }

  #refuse(party: Party, type: number, request: number, uri: string): void {
    party.heard.push([ERROR, type, request, {}, uri, [TEXT]])
  }
}
