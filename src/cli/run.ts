/** `wampy run`: a service class, started and kept running. */

import type { WampClient } from '../client/wamp-client.ts'
import { command } from './command.ts'
import { connection, placeOf, started } from './connect.ts'
import { Failure, say, textOf, warn } from './failure.ts'
import { load, targetOf } from './service-module.ts'
import { aborted, stopping } from './stopping.ts'
import { ended, watched } from './watched.ts'

export const run = command({
  name: 'run',
  summary: 'Starts a service: a class with procedures, from a JavaScript module.',
  takes: ['module[:class]'],
  options: connection,
  notes: `The class extends WampClient and is made with the options of a client. Its name may be left out where the module
has one such class or a default. Says what it registered, and when the router is lost and back.
A TypeScript module needs a loader (node --import tsx node_modules/.bin/wampy run ...) or to be compiled first.
SIGINT and SIGTERM say GOODBYE and end it with exit code 0; a second one ends it at once.`,
  examples: ['wampy run ./date-service.mjs:DateService', 'wampy run dist/services.js:Orders --realm shop'],
  async run(values, [target = '']) {
    const place = placeOf(values)
    const stop = stopping()
    const Service = await load(targetOf(target))
    let service: WampClient
    try {
      service = new Service(place.options)
    } catch (error) {
      throw new Failure(`${Service.name} could not be made: ${textOf(error)}`)
    }
    const over = ended(service)
    service.once('ready', () => listed(service))
    watched(service, place, (text) => say(`${service.name} ${text}`))
    try {
      await started(service, place, stop.signal)
      await Promise.race([aborted(stop.signal), over])
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      await service.stop()
    }
  },
})

function listed({ name, registrations, subscriptions }: WampClient): void {
  for (const { uri } of registrations) say(`registered ${uri}`)
  for (const { uri } of subscriptions) say(`subscribed to ${uri}`)
  if (registrations.length || subscriptions.length) return
  warn(`${name} declares nothing: mark methods with @rpc or @subscribe, or name them in static fields of those names`)
}
