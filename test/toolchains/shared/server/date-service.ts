/** The service. It uses Node, so a page imports the contract instead of the type of this class. */

import { createHash } from 'node:crypto'
import { WampClient } from 'wampy-ts'
import type { DateContract } from '../src/contract.ts'

export class DateService extends WampClient implements DateContract {
  static prefix = 'com.example'
  // Node takes the types away and leaves decorators.
  static rpc = ['today', 'digest'] as const

  async today(): Promise<string> {
    return new Date().toLocaleDateString('sv')
  }

  digest(text: string): string {
    return createHash('sha256').update(text).digest('hex').slice(0, 8)
  }
}
