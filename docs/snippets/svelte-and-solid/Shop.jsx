import { createMemo, createSignal } from 'solid-js'
import { liveCall, liveConnection, liveEvents, liveSubscription } from 'wampy-ts/live'
import { signalOf } from './signal-of'

export function Shop({ client }) {
  const { rpc } = client.service('com.example.shop')
  const [article, setArticle] = createSignal('tea')
  const [sold, setSold] = createSignal(0)

  const connection = signalOf(liveConnection(client))
  const latest = signalOf(
    liveEvents(client, 'com.example.time', { select: ([now]) => String(now) }),
  )
  const stock = createMemo(() => signalOf(liveCall(client, rpc.stock, [article()])))
  const sales = createMemo(() =>
    signalOf(
      liveSubscription(client, `com.example.shop.sold.${article()}`, ([count]) =>
        setSold((before) => before + Number(count)),
      ),
    ),
  )

  return (
    <section class={connection().state} data-status={sales()().status}>
      <time>{latest().latest}</time>
      <select value={article()} onChange={(event) => setArticle(event.target.value)}>
        <option>tea</option>
        <option>coffee</option>
      </select>
      <p>
        {stock()().data} in stock, {sold()} sold
      </p>
      <button type="button" onClick={() => stock()().refetch()}>
        Ask again
      </button>
    </section>
  )
}
