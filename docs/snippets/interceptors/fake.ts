import { type Interceptor, RpcClient } from 'wampy-ts'

/** Answers calls in the place of services: a test needs no router. */
const fake = (answers: Record<string, (...args: unknown[]) => unknown>): Interceptor => ({
  call({ procedure, args }) {
    const answer = answers[procedure]
    if (!answer) throw new Error(`the test has no answer to ${procedure}`)
    return { args: [answer(...args)] }
  },
  publish: () => undefined,
})

interface Shop {
  price(article: string): number
}

const shop = new RpcClient<Shop>({
  prefix: 'com.example.shop.',
  interceptors: [
    fake({ 'com.example.shop.price': (article) => (article === 'tea' ? 3 : 5) }),
  ],
})

console.log(await shop.rpc.price('tea'))
