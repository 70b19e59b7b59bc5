/** A service of the page itself, declared by decorators. */

import { rpc, WampClient } from 'wampy-ts'

export class Adder extends WampClient {
  static prefix = 'com.example.page'

  @rpc add(a: number, b: number): number {
    return a + b
  }

  @rpc() negate(a: number): number {
    return -a
  }

  @rpc('com.example.scale') scale(a: number): number {
    return a * 10
  }
}
