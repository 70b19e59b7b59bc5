/** The React page: the date by a call, the time by a topic, and the state of the connection. */

import { useCallback, useEffect, useState } from 'react'
import { RpcClient, WampError } from 'wampy-ts'
import { address } from '../address.ts'
import type { DateService } from '../date-service.ts'
import { useTopic, useWamp } from './use-wamp.ts'
import hooks from './use-wamp.ts?raw'

const client = new RpcClient<DateService>({ router: address, name: 'react' })

export function App() {
  const state = useWamp(client)
  const [time] = useTopic(client, 'demo.clock.tick') ?? []
  const [today, setToday] = useState<string>()
  const [problem, setProblem] = useState<string>()

  const call = useCallback(async () => {
    try {
      setToday(await client.rpc.getTodaysDate())
      setProblem(undefined)
    } catch (error) {
      setProblem(WampError.is(error) ? error.uri : String(error))
    }
  }, [])
  // StrictMode runs each effect, undoes it, and runs it again.
  const [runs, setRuns] = useState(0)
  useEffect(() => setRuns((before) => before + 1), [])
  useEffect(() => {
    if (state === 'ready') void call()
  }, [state, call])

  return (
    <>
      <header className="top">
        <a className="mark" href="../index.html" aria-label="wampy-ts, start page">
          wampy-ts
        </a>
        <nav aria-label="Demos">
          <a href="../index.html">With a server</a>
          <a href="../local.html">Without one</a>
          <a href="../react/index.html" aria-current="page">
            React
          </a>
          <a href="../vue/index.html">Vue</a>
        </nav>
        <p className="badge" data-state={state}>
          <span role="status">{state}</span>
        </p>
      </header>
      <main>
        <section className="hero" aria-labelledby="title">
          <div className="over">
            <h1 id="title">The same date, in React</h1>
            <p className="aside">StrictMode: {runs} starts, one session</p>
          </div>
          <p className="date">
            <time id="today" className={problem ? 'old' : undefined}>
              {today ?? '····-··-··'}
            </time>
          </p>
          <div className="pair">
            <div>
              <p className="clock">
                <time id="clock">{typeof time === 'string' ? time : '··:··:··'}</time>
              </p>
              <p className="buttons">
                <button type="button" onClick={() => void call()}>
                  Call again
                </button>
              </p>
              <p role="status" className="answer" data-kind={problem ? 'error' : today ? 'result' : 'none'}>
                {problem ? <span className="error">{problem}</span> : today ? `It is ${today}.` : 'Asking …'}
              </p>
            </div>
            <figure>
              <figcaption>use-wamp.ts, all of it</figcaption>
              <pre className="wrapped">
                <code>{hooks}</code>
              </pre>
            </figure>
          </div>
        </section>
      </main>
      <footer>
        <p>The client is imported from wampy-ts, the service as a type alone.</p>
      </footer>
    </>
  )
}
