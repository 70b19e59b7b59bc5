import { useState } from 'react'
import { useService, useStream } from 'wampy-ts/react'
import type { Shop } from './shop-contract'

export function Baking() {
  const { stream } = useService<Shop>('com.example.shop')
  const [count, setCount] = useState<number | null>(null)
  const { status, parts, result, cancel } = useStream(
    stream.bake,
    count === null ? null : [count],
  )
  return (
    <section id="baking" data-status={status}>
      <button type="button" onClick={() => setCount(3)}>
        Bake three
      </button>
      <button type="button" onClick={cancel}>
        Stop
      </button>
      <p>
        {parts.join(', ')} {status === 'done' && `in ${result} minutes`}
      </p>
    </section>
  )
}
