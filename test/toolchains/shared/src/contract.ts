/** The contract: the part of the service that a page imports; the service itself uses Node. */

import { topic } from 'wampy-ts'

export interface DateContract {
  today(): Promise<string>
  digest(text: string): string
}

/** Ten times a second, from the server. */
export const ticks = topic<[count: number]>('com.example.ticks')
