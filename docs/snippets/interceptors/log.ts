import type { Interceptor } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'

/** Logs everything that a client does and is asked to do. */
const log: Interceptor = {
  async call(request, next) {
    try {
      const { args } = await next(request)
      console.log(`called ${request.procedure}: ${args}`)
      return { args }
    } catch (error) {
      console.log(`called ${request.procedure}: ${error}`)
      throw error
    }
  },
  publish(request, next) {
    console.log(`publishes ${request.topic}: ${request.args}`)
    return next(request)
  },
  invocation(request, next) {
    console.log(`serves ${request.procedure} by ${request.registration.uri}`)
    return next(request)
  },
  event(request, next) {
    console.log(`receives ${request.topic}: ${request.args}`)
    return next(request)
  },
}

await using world = await openWorld()
const service = await world.client('service', { interceptors: [log] })
const client = await world.client('client', { interceptors: [log] })
await service.register('com.example.', () => 'yes', { match: 'prefix' })
await service.subscribe('com.example.news', () => {})
await client.call('com.example.ask')
await client.publish('com.example.news', ['hello'], {}, { acknowledge: true })
