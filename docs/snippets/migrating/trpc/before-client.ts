import { createTRPCClient, createWSClient, TRPCClientError, wsLink } from '@trpc/client'
import type { AppRouter } from './before-server'

const socket = createWSClient({ url: 'ws://localhost:8080' })
const trpc = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] })

console.log(await trpc.price.query({ article: 'tea', count: 2 })) // 6
try {
  await trpc.price.query({ article: 'gold', count: 1 })
} catch (error) {
  if (error instanceof TRPCClientError) console.log(error.data.code, error.message) // NOT_FOUND no gold here
}
await new Promise<void>((resolve) => {
  trpc.count.subscribe(3, { onData: (n) => console.log(n), onComplete: resolve }) // 1 2 3
})
await socket.close()
