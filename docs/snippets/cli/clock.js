import { WampClient } from 'wampy-ts'

export class Clock extends WampClient {
  static rpc = ['getTime']

  getTime() {
    return new Date().toLocaleTimeString('sv')
  }
}
