import { context, trace } from '@opentelemetry/api'
import { RpcClient } from 'wampy-ts'
import { otel } from 'wampy-ts/otel'

const client = new RpcClient({ interceptors: [otel()] })

export async function show(article: string): Promise<void> {
  const span = trace.getTracer('page').startSpan('show')
  const within = trace.setSpan(context.active(), span)
  const id = await context.with(within, () =>
    client.call('com.example.shop.find', [article]),
  )
  await context.with(within, () => client.call('com.example.shop.price', [id])) // after an await: once more
  span.end()
}
