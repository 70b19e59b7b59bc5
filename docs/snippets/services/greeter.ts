import { rpc, WampClient } from 'wampy-ts'

class Greeter extends WampClient {
  static prefix = 'com.example'

  @rpc greet(name: string) {
    return `Hello, ${name}`
  }
}

await using greeter = new Greeter({ router: 'ws://localhost:8080/ws' })
await greeter.start() // com.example.greet can be called
console.log(await greeter.call('com.example.greet', ['Ada'])) // Hello, Ada
