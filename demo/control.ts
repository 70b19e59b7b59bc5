/** What the page may do to the Node side: stop and start the date service, and look at what the router holds. */

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
    this.#tell()
  }

  @rpc('demo.service.start') async startService(): Promise<void> {
    await this.#service.start()
    this.#tell()
  }

  @rpc('demo.router.stats') stats(): RouterStats {
    return this.#router.stats()
  }

  // Every page that is open shows it, not only the one that asked.
  #tell(): void {
    this.publish('demo.service.state', [this.#service.state]).catch(() => {})
  }
}
