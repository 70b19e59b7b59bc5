/** What a newcomer may try with Node alone, which takes types away and leaves decorators. */

import { rpc, WampClient } from 'wampy-ts'

export class Adder extends WampClient {
  @rpc add(a: number, b: number): number {
    return a + b
  }
}
