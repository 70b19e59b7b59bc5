import { useState } from 'react'
import { RpcClient } from 'wampy-ts'
import { useCall, useConnection, useEvents, useService, WampProvider } from 'wampy-ts/react'
import { type DateContract, ticks } from './contract'

export default function Live() {
  return (
    <WampProvider create={() => new RpcClient({ router: import.meta.env.VITE_ROUTER })}>
      <Dates />
    </WampProvider>
  )
}

function Dates() {
  const { state } = useConnection()
  const { rpc } = useService<DateContract>('com.example')
  const { data: today } = useCall(rpc.today, [])
  const { latest: tick } = useEvents(ticks, { select: ([count]) => count })
  const [answer, setAnswer] = useState('')
  const send = (form: FormData) =>
    rpc.digest(String(form.get('text'))).then(setAnswer, (error) => setAnswer(error.message))
  return (
    <section data-state={state}>
      <p>{today}</p>
      <p>Tick {tick}</p>
      <form action={send}>
        <input name="text" required />
        <button>Digest</button>
      </form>
      <output>{answer}</output>
    </section>
  )
}
