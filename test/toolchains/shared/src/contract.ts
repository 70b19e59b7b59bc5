/** The contract: what a page knows of the service, which itself uses Node. */

export interface DateContract {
  today(): Promise<string>
  digest(text: string): string
}
