// @vitest-environment jsdom
/** The hooks of wampy-ts/react in a document: what they send, how often they render, and that they leave nothing behind. */

import {
  Component,
  createElement as h,
  type ReactElement,
  type ReactNode,
  StrictMode,
  useEffect,
  useState,
} from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Gap, RpcClient, rpc, type StandardSchema, topic, WampClient, WampError } from 'wampy-ts'
import {
  useCall,
  useClient,
  useConnection,
  useEvents,
  useService,
  useStream,
  useSubscription,
  WampProvider,
  type WampProviderProps,
} from 'wampy-ts/react'
import { CALL, CANCEL, SUBSCRIBE, UNSUBSCRIBE } from 'wampy-ts/testing'
import { gate, leavesNothing, until } from '../client/support.ts'
import { isFree, openStage, type Stage } from '../live/stage.ts'

leavesNothing()

/** What React and the library have printed; a test that expects it takes it. */
const complaints: unknown[][] = []
for (const level of ['error', 'warn'] as const) {
  vi.spyOn(console, level).mockImplementation((...said) => {
    complaints.push(said)
  })
}
afterEach(() => expect(complaints.splice(0)).toEqual([]))

/** Renders into a document of its own; unmounted at the end of the test. */
function mount(element: ReactElement, { strict = false } = {}) {
  const container = document.createElement('div')
  const root = createRoot(container)
  const render = (next: ReactElement) => root.render(strict ? h(StrictMode, null, next) : next)
  render(element)
  let mounted = true
  const unmount = () => {
    if (mounted) root.unmount()
    mounted = false
  }
  onTestFinished(unmount)
  return { render, unmount, text: () => container.textContent }
}

/** A component that runs a hook, counts its renders and shows the result as JSON. */
function probe<T>(hook: () => T) {
  const seen: T[] = []
  function Probe() {
    const value = hook()
    seen.push(value)
    return null
  }
  return { element: () => h(Probe), seen, last: () => seen.at(-1) as T }
}

const provided = (stage: Stage, ...children: ReactNode[]) => h(WampProvider, { client: stage.client }, ...children)

class Boundary extends Component<{ readonly children?: ReactNode }, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {}
  static getDerivedStateFromError(error: unknown) {
    return { error }
  }
  override render() {
    const { error } = this.state
    return WampError.is(error) ? `caught ${error.uri}` : this.props.children
  }
}

describe('WampProvider', () => {
  test('with a client never starts or stops it', async () => {
    await using stage = await openStage({ waits: true })
    const { unmount } = mount(provided(stage, probe(useConnection).element()), { strict: true })
    await until(() => stage.held().listeners > 0)
    expect(stage.client.state).toBe('stopped')
    await stage.client.start()
    unmount()
    await until(() => stage.held().listeners === 0)
    expect(stage.client.state).toBe('ready')
  })

  test.each([true, false])(
    'that creates one starts it once and stops it at the end; StrictMode: %s',
    async (strict) => {
      await using stage = await openStage()
      const created: WampClient[] = []
      const states: string[] = []
      const create = () => {
        const client = stage.add('client', {}) as WampClient
        client.on('state', (state) => states.push(state))
        created.push(client)
        return client
      }
      const seen = probe(() => useConnection().state)
      const { unmount } = mount(h(WampProvider, { create }, seen.element()), { strict })
      await until(() => seen.last() === 'ready')
      expect(states).toEqual(['connecting', 'ready'])
      expect(stage.world.router.stats().sessions).toBe(2)
      unmount()
      await until(() => states.length === 3)
      expect([states[2], stage.world.router.stats().sessions]).toEqual(['stopped', 1])
      for (const client of created) expect(client.listenerCount('state')).toBe(1)
    },
  )

  test('that creates a WampClient starts it before a call of a child', async () => {
    await using stage = await openStage({ waits: true })
    await stage.alice.register('com.example.f', () => 'tea')
    const seen = probe(() => useCall<string>('com.example.f', []))
    const { unmount } = mount(h(WampProvider, { create: () => stage.add('client') }, seen.element()), { strict: true })
    await until(() => seen.last()?.data === 'tea')
    expect(stage.sent(CALL)).toHaveLength(1)
    unmount()
    await until(() => stage.world.router.stats().sessions === 1)
  })

  test('within another has its own client, and the option client takes any', async () => {
    await using stage = await openStage()
    const inner = stage.add('inner')
    const seen = probe(() => [useClient(), useClient({ client: stage.client })])
    const outer = probe(() => useClient())
    mount(provided(stage, h(WampProvider, { client: inner }, seen.element()), outer.element()))
    await until(() => seen.seen.length > 0)
    expect(seen.last()).toEqual([inner, stage.client])
    expect(outer.last()).toBe(stage.client)
  })

  test('another client takes its subscriptions over', async () => {
    await using stage = await openStage()
    const other = stage.add('other')
    const seen = probe(() => useSubscription('com.example.t', () => {}).status)
    const { render, unmount } = mount(provided(stage, seen.element()))
    await until(() => seen.last() === 'active')
    const element = seen.element()
    render(h(WampProvider, { client: other } as WampProviderProps, element))
    await until(() => other.subscriptions[0]?.state === 'active' && stage.client.subscriptions.length === 0)
    unmount()
    await until(() => other.subscriptions.length === 0)
    expect(other.eventNames()).toEqual([])
  })

  test('without one, a hook throws an error that names it', async () => {
    const { text } = mount(h(Boundary, null, probe(useClient).element()))
    await until(() => text() === 'caught wampy.error.usage')
    expect(complaints.splice(0).length).toBeGreaterThan(0)
    expect(() => renderToString(probe(useClient).element())).toThrow(/put the component below a <WampProvider>/)
  })
})

describe('useService', () => {
  class Shop extends WampClient {
    static prefix = 'com.example.shop'
    @rpc price(article: string): number {
      return article.length
    }
  }

  test('returns the same object in each render, by class and by prefix', async () => {
    await using stage = await openStage()
    const shop = new Shop({ router: stage.world.connector('shop') })
    await shop.start()
    const seen = probe(() => {
      const [, again] = useState(0)
      const services = [useService(Shop), useService<Shop>('com.example.shop')] as const
      useEffect(() => again(1), [])
      return services
    })
    mount(provided(stage, seen.element()))
    await until(() => seen.seen.length === 2)
    expect(seen.seen[0]?.[0]).toBe(seen.seen[1]?.[0])
    expect(seen.seen[0]?.[1]).toBe(seen.seen[1]?.[1])
    for (const { rpc } of seen.last()) expect(await rpc.price('tea')).toBe(3)
    await shop.stop()
  })
})

describe('useConnection', () => {
  test('shows a loss and the return, with one object for each change', async () => {
    await using stage = await openStage()
    const seen = probe(useConnection)
    mount(provided(stage, seen.element(), seen.element()), { strict: false })
    await stage.client.start()
    await until(() => seen.last()?.state === 'ready')
    expect(seen.last().session).toBe(stage.client.session)
    stage.cut()
    await until(() => seen.seen.some(({ state }) => state === 'reconnecting'))
    await until(() => seen.last()?.state === 'ready')
    expect(seen.seen.find(({ cause }) => cause)?.cause?.uri).toBe('wampy.error.connection_lost')
  })
})

describe('useSubscription', () => {
  test('in StrictMode subscribes once, and unsubscribes at the end', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    const seen = probe(() => useSubscription('com.example.t', ([n]) => events.push(n)).status)
    const { unmount } = mount(provided(stage, seen.element()), { strict: true })
    await until(() => seen.last() === 'active')
    await stage.alice.publish('com.example.t', [1])
    await until(() => events.length === 1)
    unmount()
    await until(() => stage.held().subscriptions === 0)
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE).map(([code]) => code)).toEqual([SUBSCRIBE, UNSUBSCRIBE])
    await until(() => isFree(stage))
    expect(events).toEqual([1])
  })

  test('calls the handler of the latest render, and sends nothing for another handler', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    let set!: (value: string) => void
    const seen = probe(() => {
      const [name, setName] = useState('one')
      set = setName
      return [
        useSubscription('com.example.t', ([n]) => events.push([name, n]), { match: 'exact' }).status,
        name,
      ] as const
    })
    mount(provided(stage, seen.element()))
    await until(() => seen.last()?.[0] === 'active')
    await stage.alice.publish('com.example.t', [1])
    await until(() => events.length === 1)
    set('two')
    await until(() => seen.last()?.[1] === 'two')
    await stage.alice.publish('com.example.t', [2])
    await until(() => events.length === 2)
    expect(events).toEqual([
      ['one', 1],
      ['two', 2],
    ])
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toHaveLength(1)
  })

  test('another topic or other options subscribe anew; null ends it', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    let set!: (value: [string | null, Record<string, unknown>]) => void
    const seen = probe(() => {
      const [[topic, options], setBoth] = useState<[string | null, Record<string, unknown>]>(['com.example.a', {}])
      set = setBoth
      return useSubscription(topic, (...[[n], , { topic }]) => events.push([topic, n]), options).status
    })
    mount(provided(stage, seen.element()))
    await until(() => seen.last() === 'active')
    set(['com.example.b', {}])
    await until(() => stage.client.subscriptions[0]?.uri === 'com.example.b' && seen.last() === 'active')
    await stage.alice.publish('com.example.a', ['silent'])
    await stage.alice.publish('com.example.b', ['heard'])
    await until(() => events.length === 1)
    set(['com.example.b', { match: 'prefix', get_retained: true }])
    await until(() => seen.last() === 'active' && stage.client.subscriptions[0]?.options.match === 'prefix')
    set([null, {}])
    await until(() => seen.last() === 'idle')
    await until(() => stage.held().subscriptions === 0)
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE).map(([code, , topic]) => [code, topic])).toEqual([
      [SUBSCRIBE, 'com.example.a'],
      [UNSUBSCRIBE, undefined],
      [SUBSCRIBE, 'com.example.b'],
      [UNSUBSCRIBE, undefined],
      [SUBSCRIBE, 'com.example.b'],
      [UNSUBSCRIBE, undefined],
    ])
    expect(events).toEqual([['com.example.b', 'heard']])
  })

  test('loses nothing of a burst, whose state renders seldom', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    const seen = probe(() => useSubscription('com.example.t', ([n]) => events.push(n)).status)
    const list = probe(() => useEvents('com.example.t', { limit: 1000, select: ([n]) => n as number }))
    mount(provided(stage, seen.element(), list.element()))
    await until(() => seen.last() === 'active' && list.last().status === 'active')
    const before = list.seen.length
    for (let n = 0; n < 500; n++) void stage.alice.publish('com.example.t', [n])
    await until(() => list.last().latest === 499)
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    expect(events).toEqual(numbers)
    expect(list.last().events).toEqual(numbers)
    expect(list.seen.length - before).toBeLessThan(20)
    expect(seen.seen.length).toBeLessThan(5)
  })

  test('reports a gap to the latest callback', async () => {
    await using stage = await openStage()
    const gaps: [string, Gap][] = []
    let set!: (value: string) => void
    const seen = probe(() => {
      const [name, setName] = useState('one')
      set = setName
      return [useSubscription('com.example.t', () => {}, { onGap: (gap) => gaps.push([name, gap]) }).status, name]
    })
    mount(provided(stage, seen.element()))
    await until(() => seen.last()?.[0] === 'active')
    set('two')
    await until(() => seen.last()?.[1] === 'two')
    stage.cut()
    await until(() => gaps.length === 1)
    expect(gaps[0]).toMatchObject(['two', { after: undefined }])
    await until(() => seen.last()?.[0] === 'active')
    expect(stage.sent(SUBSCRIBE)).toHaveLength(2)
  })

  test('a refusal is its error, or thrown for an error boundary', async () => {
    await using stage = await openStage()
    const seen = probe(() => useSubscription('com..t', () => {}))
    const thrower = probe(() => useEvents('com..t', { throwOnError: true }))
    const { text } = mount(provided(stage, seen.element(), h(Boundary, null, thrower.element())))
    await until(() => seen.last()?.status === 'error')
    expect(seen.last().error).toBeInstanceOf(WampError)
    expect(seen.last().error).toMatchObject({ uri: 'wamp.error.invalid_uri' })
    await until(() => text() === 'caught wamp.error.invalid_uri')
    expect(complaints.splice(0).length).toBeGreaterThan(0)
    await until(() => stage.held().handles === 0)
  })
})

describe('useEvents', () => {
  test('the newest select is used; clear forgets', async () => {
    await using stage = await openStage()
    let set!: (value: string) => void
    const seen = probe(() => {
      const [name, setName] = useState('one')
      set = setName
      return { name, ...useEvents('com.example.t', { select: ([n]) => `${name} ${n}` }) }
    })
    mount(provided(stage, seen.element()))
    await until(() => seen.last()?.status === 'active')
    expect(seen.last().latest).toBeUndefined()
    await stage.alice.publish('com.example.t', [1])
    await until(() => seen.last().latest === 'one 1')
    set('two')
    await until(() => seen.last().name === 'two')
    await stage.alice.publish('com.example.t', [2])
    await until(() => seen.last().latest === 'two 2')
    expect(seen.last().events).toEqual(['one 1', 'two 2'])
    seen.last().clear()
    await until(() => seen.last().events.length === 0)
    expect(stage.sent(SUBSCRIBE)).toHaveLength(1)
  })
})

test('a typed topic is subscribed to by its URI and its match policy, and its schema checks what comes', async () => {
  await using stage = await openStage()
  const integer: StandardSchema<number, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'not a number' }] }),
    },
  }
  const prices = topic('com.example.price', { args: [integer], match: 'prefix' })
  const handled: unknown[] = []
  let set!: (value: boolean) => void
  const seen = probe(() => {
    const [all, setAll] = useState(true)
    set = setAll
    useSubscription(prices, ([price], _kwargs, details) => handled.push([details.topic, price]))
    return useEvents(all ? prices : 'com.example.price.tea', { select: ([price]) => price })
  })
  stage.client.on('warning', () => {})
  const { unmount } = mount(provided(stage, seen.element()))
  await until(() => seen.last()?.status === 'active')
  await stage.alice.publish('com.example.price.tea', ['dear'])
  await stage.alice.publish('com.example.price.tea', [3])
  await until(() => seen.last().latest === 3)
  expect(handled).toEqual([['com.example.price.tea', 3]])
  expect(stage.client.dropped).toMatchObject({ invalidEvents: 2 })
  set(false)
  await until(() => seen.last().events.length === 0 && seen.last().status === 'active')
  await stage.alice.publish('com.example.price.tea', ['anything'])
  await until(() => seen.last().latest === 'anything')
  expect(stage.sent(SUBSCRIBE)).toEqual([
    [SUBSCRIBE, { match: 'prefix' }, 'com.example.price'],
    [SUBSCRIBE, { match: 'prefix' }, 'com.example.price'],
    [SUBSCRIBE, {}, 'com.example.price.tea'],
  ])
  unmount()
  stage.client.removeAllListeners('warning')
  await until(() => isFree(stage))
})

test('a topic with another match policy subscribes anew', async () => {
  await using stage = await openStage()
  const [exact, prefix] = [topic('com.example'), topic<[number]>('com.example', { match: 'prefix' })]
  let set!: (value: boolean) => void
  const seen = probe(() => {
    const [all, setAll] = useState(false)
    set = setAll
    return useSubscription(all ? prefix : exact, () => {}).status
  })
  mount(provided(stage, seen.element()))
  await until(() => seen.last() === 'active')
  set(true)
  await until(() => stage.sent(SUBSCRIBE).length === 2)
  expect(stage.sent(SUBSCRIBE)).toEqual([
    [SUBSCRIBE, { match: 'exact' }, 'com.example'],
    [SUBSCRIBE, { match: 'prefix' }, 'com.example'],
  ])
})

test('a topic that changes forgets the events of the topic before', async () => {
  await using stage = await openStage()
  let set!: (value: string) => void
  const seen = probe(() => {
    const [name, setName] = useState('com.example.a')
    set = setName
    return useEvents(name, { select: ([n]) => n })
  })
  mount(provided(stage, seen.element()))
  await until(() => seen.last()?.status === 'active')
  await stage.alice.publish('com.example.a', [1])
  await until(() => seen.last().latest === 1)
  set('com.example.b')
  await until(() => seen.last().events.length === 0 && seen.last().status === 'active')
  await stage.alice.publish('com.example.b', [2])
  await until(() => seen.last().latest === 2)
  expect(seen.last().events).toEqual([2])
})

describe('useCall', () => {
  test('calls again for other arguments and cancels the call before, in StrictMode once each', async () => {
    await using stage = await openStage()
    const held = gate<string>()
    await stage.alice.register('com.example.f', ([name]) => (name === 'slow' ? held.opened : `${name}!`))
    let set!: (value: string | null) => void
    const seen = probe(() => {
      const [name, setName] = useState<string | null>('slow')
      set = setName
      return useCall<string>('com.example.f', name === null ? null : [name, 7n], { kwargs: { a: 1 } })
    })
    const { unmount } = mount(provided(stage, seen.element()), { strict: true })
    await until(() => stage.held().calls === 1)
    set('tea')
    await until(() => seen.last().data === 'tea!')
    held.open('too late')
    set(null)
    await until(() => seen.last().status === 'idle')
    expect(seen.last().data).toBeUndefined()
    set('coffee')
    await until(() => seen.last().data === 'coffee!')
    expect(stage.sent(CALL, CANCEL)).toEqual([
      [CALL, {}, 'com.example.f', ['slow', 7n], { a: 1 }],
      [CANCEL, { mode: 'killnowait' }],
      [CALL, {}, 'com.example.f', ['tea', 7n], { a: 1 }],
      [CALL, {}, 'com.example.f', ['coffee', 7n], { a: 1 }],
    ])
    unmount()
    await until(() => isFree(stage))
  })

  test('a procedure that does not exist is its error; refetch calls again', async () => {
    await using stage = await openStage()
    const seen = probe(() => useCall('com.example.f', []))
    mount(provided(stage, seen.element()))
    await until(() => seen.last()?.status === 'error')
    expect(seen.last().error).toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    await stage.alice.register('com.example.f', () => 1)
    seen.last().refetch()
    await until(() => seen.last().status === 'success')
  })
})

describe('useStream', () => {
  test('shows the parts and the result; leaving cancels it', async () => {
    await using stage = await openStage()
    const held = gate()
    await stage.alice.register('com.example.count', async function* ([n]) {
      for (let i = 1; i <= (n as number); i++) yield i
      if (n === 3) await held.opened
      return 'all'
    })
    const parts: unknown[] = []
    let set!: (value: number) => void
    const seen = probe(() => {
      const [n, setN] = useState(2)
      set = setN
      return useStream<number, string>('com.example.count', [n], { onPart: (part) => parts.push([n, part]) })
    })
    const { unmount } = mount(provided(stage, seen.element()), { strict: true })
    await until(() => seen.last()?.status === 'done')
    expect(seen.last()).toMatchObject({ parts: [1, 2], latest: 2, result: 'all' })
    set(3)
    await until(() => seen.last()?.parts.length === 3)
    expect(seen.last().status).toBe('active')
    unmount()
    await until(() => stage.held().calls === 0)
    held.open()
    expect(parts).toEqual([1, 2, 1, 2, 3].map((part, i) => [i < 2 ? 2 : 3, part]))
    expect(stage.sent(CALL, CANCEL).map(([code]) => code)).toEqual([CALL, CALL, CANCEL])
  })
})

describe('on a server', () => {
  const App = () => {
    const { state } = useConnection()
    const { status } = useSubscription('com.example.t', () => {})
    const { events } = useEvents('com.example.t')
    const { data = 'nothing', status: called } = useCall<string>('com.example.f', [])
    const { status: streamed } = useStream('com.example.f', [])
    return h('p', null, [state, status, events.length, data, called, streamed].join(' '))
  }

  test('nothing begins, and the page takes over what was rendered', async () => {
    await using stage = await openStage()
    await stage.alice.register('com.example.f', () => 'tea')
    let html = ''
    for (let request = 0; request < 20; request++) html = renderToString(provided(stage, h(App)))
    expect(html).toBe('<p>stopped pending 0 nothing pending pending</p>')
    expect(stage.client.state).toBe('stopped')
    await until(() => isFree(stage))
    const created = () => h(WampProvider, { create: () => new RpcClient({ router: 'ws://127.0.0.1:1/ws' }) }, h(App))
    expect(renderToString(created())).toBe(html)

    await stage.client.start()
    const container = document.createElement('div')
    container.innerHTML = html
    const root = hydrateRoot(container, provided(stage, h(App)), {
      onRecoverableError: (error) => complaints.push([error]),
    })
    await until(() => container.textContent === 'ready active 0 tea success done')
    root.unmount()
    await until(() => isFree(stage))
  })
})
