import {
  type Endpoint,
  type EventHandler,
  type ProgressHandler,
  WampClient,
} from 'wampy-ts'

// register: the result is what it returns. The fourth parameter is the Invocation: `signal`, `progress(args, kwargs)`,
// `input` (the parts of a progressive call), `caller`, `callerAuthid`, `callerAuthrole`, `procedure`.
const copy: Endpoint = async ([count], kwargs, details, invocation) => {
  for (let n = 1; n <= Number(count) && !invocation.signal.aborted; n++) {
    if (details.receive_progress) await invocation.progress([n], { of: count })
  }
  return `copied ${count} to ${kwargs['to']}`
}

// subscribe: `details` has `topic`, `publication`, and what the router discloses of the publisher.
const news: EventHandler = (args, kwargs, details) =>
  console.log(args, kwargs, details.topic)

// onProgress: one progressive result.
const show: ProgressHandler = ([n], { of }, details) => console.log(n, of, details.progress)

await using client = new WampClient({ router: 'ws://localhost:8080/ws' })
await client.start()
await client.register('com.example.copy', copy)
await client.subscribe('com.example.copied', news)
console.log(
  await client.call(
    'com.example.copy',
    [2],
    { to: 'disk' },
    { onProgress: show, timeout: 5000 },
  ),
)
