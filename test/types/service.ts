/** The service of the type tests. */

import { type Invocation, Result, rpc, WampClient } from 'wampy-ts'

export class DateService extends WampClient {
  readonly zone = 'UTC'

  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
  @rpc add(a: number, b: number): number {
    return a + b
  }
  @rpc greet(name: string, polite?: boolean): string {
    return polite ? `Dear ${name}` : name
  }
  @rpc sum(...numbers: number[]): number {
    return numbers.reduce((sum, each) => sum + each, 0)
  }
  @rpc async load(): Promise<{ id: number } | undefined> {
    return undefined
  }
  @rpc nothing(): void {}
  @rpc async nothingLater(): Promise<void> {}
  @rpc async both(): Promise<Result> {
    return new Result([1, 2])
  }
  @rpc({ invocation: true }) who(_invocation: Invocation, name: string): string {
    return name
  }
  @rpc({ invocation: true }) alone(_invocation: Invocation): void {}
  @rpc loose(_value: unknown): void {}
  private hidden(): void {}
  reveal(): void {
    this.hidden()
  }
}
