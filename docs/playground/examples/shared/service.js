import { WampClient } from 'wampy-ts'

class Worker extends WampClient {
  static rpc = {
    work: { uri: 'com.example.work', invoke: 'roundrobin' },
  }

  work(job) {
    return `${this.name} did job ${job}`
  }
}

// Three services share one procedure; the router calls them in turn.
for (const name of ['Ann', 'Ben', 'Cleo']) {
  const worker = new Worker({
    name,
    router: 'ws://localhost:8080/ws',
  })
  await worker.start()
}
