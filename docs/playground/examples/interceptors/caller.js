import { RpcClient } from 'wampy-ts'

// Around each call: up to three attempts.
const patient = {
  async call(request, next) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request)
      } catch (error) {
        if (error.uri !== 'com.example.error.busy' || attempt === 3)
          throw error
        console.log(`attempt ${attempt}: ${error.uri}`)
      }
    }
  },
}

// Keyword arguments that every call has.
const polite = {
  call: (request, next) =>
    next({
      ...request,
      kwargs: { ...request.kwargs, please: true },
    }),
}

const client = new RpcClient({
  router: 'ws://localhost:8080/ws',
  interceptors: [patient, polite],
})
console.log(await client.call('com.example.shop.price', ['tea']))
