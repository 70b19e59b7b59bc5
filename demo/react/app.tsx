/** The React page: the date by a call, the time by a topic, and the state of the connection. */

import { useEffect, useState } from 'react'
import { RpcClient } from 'wampy-ts'
import { WampProvider } from 'wampy-ts/react'
import { address } from '../address.ts'
import { useToday } from './use-today.ts'
import hooks from './use-today.ts?raw'

export function App() {
  return (
    <WampProvider create={() => new RpcClient({ router: address, name: 'react' })}>
      <Page />
    </WampProvider>
  )
}

function Page() {
  const { today, problem, call, time, state } = useToday()
  // StrictMode runs each effect, undoes it, and runs it again.
  const [runs, setRuns] = useState(0)
  useEffect(() => setRuns((before) => before + 1), [])

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
                <time id="clock">{time ?? '··:··:··'}</time>
              </p>
              <p className="buttons">
                <button type="button" onClick={call}>
                  Call again
                </button>
              </p>
              <p role="status" className="answer" data-kind={problem ? 'error' : today ? 'result' : 'none'}>
                {problem ? <span className="error">{problem}</span> : today ? `It is ${today}.` : 'Asking …'}
              </p>
            </div>
            <figure>
              <figcaption>use-today.ts, all of it</figcaption>
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
