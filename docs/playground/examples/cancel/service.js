import { WampClient } from 'wampy-ts'

class Kitchen extends WampClient {
  static prefix = 'com.example.kitchen'
  static rpc = { cook: { invocation: true } }

  async cook({ signal }, dish) {
    console.log('cooking', dish)
    await new Promise((resolve) =>
      signal.addEventListener('abort', resolve),
    )
    console.log('the order was cancelled:', signal.reason.message)
  }
}

const kitchen = new Kitchen({ router: 'ws://localhost:8080/ws' })
await kitchen.start()
