import { useState } from 'react'
import { useCall, useService, useSubscription } from 'wampy-ts/react'
import type { Shop } from './shop-contract'

export function Orders() {
  const { rpc } = useService<Shop>('com.example.shop')
  const stock = useCall(rpc.stock, ['tea'])
  const [sold, setSold] = useState(0)
  const [answer, setAnswer] = useState('')
  const { status } = useSubscription(
    'com.example.shop.sold.tea',
    ([count]) => setSold((before) => before + Number(count)), // every event
    { onGap: stock.refetch }, // events were missed while the connection was lost
  )

  async function order() {
    try {
      const { number } = await rpc.order('tea')
      setAnswer(`Your order is number ${number}.`)
      stock.refetch()
    } catch (error) {
      setAnswer(error instanceof Error ? error.message : 'failed')
    }
  }

  return (
    <section id="orders" data-status={status}>
      <p>
        {stock.data} in stock, {sold} sold
      </p>
      <button type="button" onClick={order}>
        Order
      </button>
      <p role="status">{answer}</p>
    </section>
  )
}
