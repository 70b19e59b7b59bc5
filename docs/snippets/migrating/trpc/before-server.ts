import { initTRPC, TRPCError } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { WebSocketServer } from 'ws'
import { z } from 'zod'

const t = initTRPC.create()

const appRouter = t.router({
  price: t.procedure
    .input(z.object({ article: z.string(), count: z.number() }))
    .query(({ input }) => {
      if (input.article !== 'tea')
        throw new TRPCError({ code: 'NOT_FOUND', message: `no ${input.article} here` })
      return 3 * input.count
    }),
  count: t.procedure.input(z.number()).subscription(async function* ({ input }) {
    for (let n = 1; n <= input; n++) yield n
  }),
})
export type AppRouter = typeof appRouter

applyWSSHandler({ wss: new WebSocketServer({ port: 8080 }), router: appRouter })
console.log('ready')
