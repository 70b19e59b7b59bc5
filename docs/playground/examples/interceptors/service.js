import { WampClient, WampError } from 'wampy-ts'

let failures = 2

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static rpc = ['price']

  price(article) {
    if (failures-- > 0)
      throw new WampError('com.example.error.busy')
    return `${article} costs 3`
  }
}

// Around each procedure.
const timed = {
  async invocation(request, next) {
    const start = performance.now()
    try {
      return await next(request)
    } finally {
      const spent = performance.now() - start
      console.log(
        request.procedure,
        spent < 1000 ? 'was quick' : 'was slow',
      )
    }
  },
}

const shop = new Shop({
  router: 'ws://localhost:8080/ws',
  interceptors: [timed],
})
await shop.start()
