/** A sink that records its calls and lets a test wait for them. */

import type { CloseInfo, Frame, TransportSink } from '../../src/transport/transport.ts'

export class Recorder implements TransportSink {
  readonly frames: Frame[] = []
  readonly closes: CloseInfo[] = []
  /** What came after the end, which must be nothing. */
  readonly late: Frame[] = []
  #waiting: (() => void)[] = []

  frame(frame: Frame): void {
    this.frames.push(frame)
    if (this.closes.length > 0) this.late.push(frame)
    this.#wake()
  }

  closed(info: CloseInfo): void {
    this.closes.push(info)
    this.#wake()
  }

  async count(frames: number): Promise<Frame[]> {
    await this.#until(() => this.frames.length >= frames)
    return this.frames
  }

  async end(): Promise<CloseInfo> {
    await this.#until(() => this.closes.length > 0)
    return this.closes[0]!
  }

  async #until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
