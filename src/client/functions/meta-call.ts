/** Calls of the meta API that a router may not have. */

import { WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED, NO_SUCH_PROCEDURE } from '../../protocol/names.ts'
import type { Dict, List } from '../../protocol/options.ts'
import type { Waiting } from '../base/waiting.ts'
import type { Client } from '../client.ts'
import { BEFORE, type BeforeCall, type CallResult } from '../roles/caller.ts'

/** The options of a call of the meta API. */
export interface MetaOptions extends Waiting {
  /** Waits for a session if there is none, instead of failing at once. */
  readonly waitForReady?: boolean | undefined
}

/** @throws WampError `wamp.error.feature_not_supported` if the router has no such procedure; as `call` */
export async function meta(
  client: Client,
  procedure: Uri,
  args: List,
  kwargs: Dict,
  { signal, timeout, waitForReady = false, [BEFORE]: before }: MetaOptions & BeforeCall,
): Promise<CallResult> {
  try {
    return await client.callRaw(procedure, args, kwargs, { signal, timeout, waitForReady, [BEFORE]: before })
  } catch (error) {
    if (!WampError.is(error) || error.uri !== NO_SUCH_PROCEDURE) throw error
    throw new WampError(FEATURE_NOT_SUPPORTED, [`the router has no ${procedure}`], {}, { cause: error })
  }
}
