/** The service of the demo: it returns today's date. */

import { rpc, WampClient } from 'wampy-ts'

export class DateService extends WampClient {
  @rpc getTodaysDate(): string {
    return new Date().toLocaleDateString('sv')
  }
}
