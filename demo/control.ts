/** Procedures by which the page controls the Node side: they stop and start the date service, and return statistics. */

import { type ClientOptions, rpc, WampClient } from 'wampy-ts'
import type { Router, RouterStats } from 'wampy-ts/router'

export interface Controlled {
  readonly service: WampClient
  readonly router: Router
}

export class Control extends WampClient {
  readonly #service: WampClient
  readonly #router: Router

  constructor(options: ClientOptions, { service, router }: Controlled) {
    super(options)
    this.#service = service
    this.#router = router
  }

  @rpc('demo.service.stop') async stopService(): Promise<void> {
    await this.#service.stop()
    this.#publishState()
  }

  @rpc('demo.service.start') async startService(): Promise<void> {
    await this.#service.start()
    this.#publishState()
  }

  @rpc('demo.router.stats') stats(): RouterStats {
    return this.#router.stats()
  }

  // Every open page shows the state, not only the one that called.
  #publishState(): void {
    this.publish('demo.service.state', [this.#service.state]).catch(() => {})
  }
}
