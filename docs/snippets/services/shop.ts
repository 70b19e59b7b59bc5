import {
  type Invocation,
  type ReceivedEvent,
  Result,
  rpc,
  subscribe,
  WampClient,
  WampError,
} from 'wampy-ts'

export class Shop extends WampClient {
  static prefix = 'com.example.shop'
  orders = 0

  // com.example.shop.price
  @rpc price(article: string, count = 1) {
    if (article !== 'tea')
      throw new WampError('com.example.error.unknown_article', [`no ${article} here`], {
        article,
      })
    return 3 * count
  }

  // A URI of its own, an async method.
  @rpc('com.example.order') async order(article: string) {
    this.orders++
    return { article, number: this.orders }
  }

  // An Invocation first: kwargs, details, the caller where it is disclosed, a signal that aborts.
  @rpc({ invocation: true }) greet({ kwargs }: Invocation, name: string) {
    return `${kwargs['greeting'] ?? 'Hello'}, ${name}`
  }

  // More than one positional result, and keyword results.
  @rpc size() {
    return new Result([10, 20], { unit: 'cm' })
  }

  // Events: positional arguments, or a ReceivedEvent first.
  @subscribe('com.example.reset') reset() {
    this.orders = 0
  }

  @subscribe({ uri: 'com.example.restock', event: true }) restock(
    event: ReceivedEvent,
    article: string,
  ) {
    console.log(`${article} is back, says publication ${event.publication}`)
  }
}
