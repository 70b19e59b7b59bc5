import { CONNECTION_LOST, NO_SUCH_PROCEDURE, RpcClient, WampError } from 'wampy-ts'

await using client = new RpcClient({ router: 'ws://localhost:8080/ws' })
try {
  await client.rpc.com.example.nobody()
} catch (error) {
  if (!WampError.is(error)) throw error
  if (error.uri === NO_SUCH_PROCEDURE) console.log(error.message)
  else if (error.uri === CONNECTION_LOST)
    console.log(error.sent ? 'it may have run' : 'it never left')
  else console.log(error.uri, error.args, error.kwargs, error.cause)
}
