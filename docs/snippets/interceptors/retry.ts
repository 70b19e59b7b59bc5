import { type Interceptor, RpcClient, WampError } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'

/** Sends a call again that was never sent, or that a busy procedure has declined. */
const retrying = (most = 3): Interceptor => ({
  async call(request, next) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request)
      } catch (error) {
        const passing = WampError.is(error) && /\.(busy|not_joined)$/.test(error.uri)
        // What has sent its input, or part of its results, cannot begin again.
        const once = request.options.input || request.options.onProgress
        if (!passing || once || attempt === most || request.options.signal?.aborted)
          throw error
        await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt))
      }
    }
  },
})

await using world = await openWorld()
const [service] = await world.join('service')
let calls = 0
await service.register('com.example.busy', () => {
  if (++calls < 3) throw new WampError('com.example.error.busy')
  return `answered the call number ${calls}`
})

await using client = new RpcClient({
  router: world.connector('client'),
  interceptors: [retrying()],
})
console.log(await client.call('com.example.busy'))
