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
  // biome-ignore lint/suspicious/noExplicitAny: a parameter of any type is the point
  @rpc loosest(_value: any, _more: string): void {}
  @rpc async *count(to: number): AsyncGenerator<number, string> {
    yield to
    return 'end'
  }
  @rpc({ invocation: true }) async *sums({ input }: Invocation<number>): AsyncGenerator<number> {
    for await (const n of input) yield n
  }
  @rpc async later(): Promise<AsyncIterable<string>> {
    return { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) }
  }
  @rpc async *whole(): AsyncGenerator<Result, Result> {
    yield new Result([1])
    return new Result()
  }
  private hidden(): void {}
  reveal(): void {
    this.hidden()
  }
}
