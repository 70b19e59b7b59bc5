import { WampClient } from 'wampy-ts'

class Counter extends WampClient {
  static prefix = 'com.example.counter'
  static rpc = { count: true, sum: { invocation: true } }

  // An async generator streams what it yields.
  async *count(to) {
    for (let n = 1; n <= to; n++) yield n
    return 'done'
  }

  // The parts of a call are read in a loop.
  async sum({ input }, start) {
    let sum = start
    for await (const n of input) sum += n
    return sum
  }
}

const counter = new Counter({ router: 'ws://localhost:8080/ws' })
await counter.start()
