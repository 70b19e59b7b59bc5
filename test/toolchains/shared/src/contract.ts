/** The contract: the part of the service that a page imports; the service itself uses Node. */

export interface DateContract {
  today(): Promise<string>
  digest(text: string): string
}
