import { AUTHENTICATION_FAILED, RpcClient, WampError } from 'wampy-ts'
import { type ClientAuth, cookie } from 'wampy-ts/auth'

/** The client of the whole page. */
export const client = new RpcClient({ router: 'ws://localhost:8080/ws', auth: [cookie()] })

/** Logs in by a method, or else by the cookie of an earlier login. Resolves to the reason of a refusal, or to ''. */
export async function login(method?: ClientAuth): Promise<string> {
  if (method) client.auth = [method]
  try {
    await client.start()
    return ''
  } catch (error) {
    await client.stop() // a form makes one attempt
    const wrong = WampError.is(error) && error.uri === AUTHENTICATION_FAILED
    return wrong ? 'Wrong name or password' : (error as Error).message
  }
}
