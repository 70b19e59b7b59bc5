import { NO_SUCH_PROCEDURE, RpcClient, WampError } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const shop = client.service('com.example.shop').rpc

try {
  await shop.price('coffee')
} catch (error) {
  if (!WampError.is(error)) throw error
  console.log(error.uri, error.message)
  console.log(error.kwargs)
}

// What a method throws arrives, and its session goes on.
await shop
  .divide(1, 0)
  .catch((error) => console.log(error.uri, error.message))

// A wrong name is an error of its own.
await shop
  .prize('tea')
  .catch((error) =>
    console.log(error.uri === NO_SUCH_PROCEDURE, error.message),
  )

// Uncaught: the console shows it with its line.
await shop.price('milk')
