/** A clock: it publishes the time of day as each second begins. */

import { type StartOptions, WampClient } from 'wampy-ts'

export class Clock extends WampClient {
  #timer: NodeJS.Timeout | undefined

  override async start(options?: StartOptions): Promise<void> {
    await super.start(options)
    this.#tick()
  }

  override async stop(): Promise<void> {
    clearTimeout(this.#timer)
    await super.stop()
  }

  #tick(): void {
    const now = new Date()
    this.publish('demo.clock.tick', [now.toLocaleTimeString('sv')]).catch(() => {})
    clearTimeout(this.#timer)
    // A little after the start of the second: a timer that fires early would publish the old one twice.
    this.#timer = setTimeout(() => this.#tick(), 1005 - (now.getTime() % 1000))
  }
}
