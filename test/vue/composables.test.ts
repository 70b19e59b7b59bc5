// @vitest-environment jsdom
/** The composables of wampy-ts/vue in a document: what they send, and that they leave nothing behind. */

import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type App,
  createApp,
  defineComponent,
  effectScope,
  h,
  KeepAlive,
  nextTick,
  onErrorCaptured,
  reactive,
  ref,
  type SetupContext,
  Suspense,
  shallowRef,
  type VNodeChild,
} from 'vue'
import { type Gap, rpc, WampClient, WampError } from 'wampy-ts'
import { CALL, CANCEL, SUBSCRIBE, UNSUBSCRIBE } from 'wampy-ts/testing'
import {
  provideWamp,
  useCall,
  useClient,
  useConnection,
  useEvents,
  useService,
  useStream,
  useSubscription,
  wamp,
} from 'wampy-ts/vue'
import { gate, leavesNothing, until } from '../client/support.ts'
import { isFree, openStage, type Stage } from '../live/stage.ts'

leavesNothing()

/** What Vue and the library have printed; a test that expects it takes it. */
const complaints: unknown[][] = []
for (const level of ['error', 'warn'] as const) {
  vi.spyOn(console, level).mockImplementation((...said) => {
    complaints.push(said)
  })
}
afterEach(() => expect(complaints.splice(0)).toEqual([]))

/** Mounts an app whose root has this setup function; unmounted at the end of the test. */
function mount(stage: Stage | undefined, setup: () => () => VNodeChild, prepare: (app: App) => void = () => {}) {
  const container = document.createElement('div')
  const app = createApp(defineComponent(setup))
  if (stage) app.use(wamp({ client: stage.client }))
  prepare(app)
  app.mount(container)
  let mounted = true
  const unmount = () => {
    if (mounted) app.unmount()
    mounted = false
  }
  onTestFinished(unmount)
  return { unmount, text: () => container.textContent, container }
}

/** A component of a setup function that shows nothing. */
const silent = (setup: (context: SetupContext) => void) =>
  defineComponent((_, context) => {
    setup(context)
    return () => null
  })

describe('the plugin', () => {
  test('with a client never starts or stops it', async () => {
    await using stage = await openStage({ waits: true })
    const { unmount, text } = mount(stage, () => {
      const { state } = useConnection()
      return () => state.value
    })
    await until(() => stage.held().listeners > 0)
    expect([stage.client.state, text()]).toEqual(['stopped', 'stopped'])
    await stage.client.start()
    await until(() => text() === 'ready')
    unmount()
    await until(() => isFree(stage))
    expect(stage.client.state).toBe('ready')
  })

  test('that creates one starts it, and stops it with the app', async () => {
    await using stage = await openStage({ waits: true })
    await stage.alice.register('com.example.f', () => 'tea')
    const { unmount, text } = mount(
      undefined,
      () => {
        const { data } = useCall<string>('com.example.f', [])
        return () => data.value
      },
      (app) => app.use(wamp({ create: () => stage.add('created') })),
    )
    await until(() => text() === 'tea')
    unmount()
    await until(() => stage.world.router.stats().sessions === 1)
  })

  test('what is rendered first is what a server has rendered', async () => {
    await using stage = await openStage()
    await stage.client.start()
    await stage.alice.register('com.example.f', () => 'tea')
    const shown: string[] = []
    const { text } = mount(stage, () => {
      const { state } = useConnection()
      const { status } = useCall('com.example.f', [])
      return () => {
        shown.push(`${state.value} ${status.value}`)
        return shown.at(-1)
      }
    })
    await until(() => text() === 'ready success')
    expect(shown[0]).toBe('stopped pending')
  })

  test('a component provides those below it with another client, and the option client takes any', async () => {
    await using stage = await openStage()
    const other = stage.add('other')
    const found: unknown[] = []
    const Inner = silent(() => found.push(useClient(), useClient({ client: stage.client })))
    const Middle = defineComponent(() => {
      provideWamp(other)
      return () => h(Inner)
    })
    mount(stage, () => {
      found.push(useClient())
      return () => h(Middle)
    })
    expect(found).toEqual([stage.client, other, stage.client])
  })

  test('without one, a composable throws an error that names it', () => {
    let error: unknown
    mount(
      undefined,
      () => {
        useClient()
        return () => null
      },
      (app) => {
        app.config.errorHandler = (thrown) => {
          error = thrown
        }
      },
    )
    expect(complaints.splice(0).length).toBeGreaterThan(0)
    expect(error).toMatchObject({ uri: 'wampy.error.usage', message: expect.stringContaining('app.use(wamp({') })
  })
})

describe('useService', () => {
  class Shop extends WampClient {
    static prefix = 'com.example.shop'
    @rpc price(article: string): number {
      return article.length
    }
  }

  test('is a service by class or by prefix', async () => {
    await using stage = await openStage()
    const shop = new Shop({ router: stage.world.connector('shop') })
    await shop.start()
    const found: { rpc: { price(article: string): Promise<number> } }[] = []
    mount(stage, () => {
      found.push(useService(Shop), useService<Shop>('com.example.shop'))
      return () => null
    })
    for (const { rpc } of found) expect(await rpc.price('tea')).toBe(3)
    await shop.stop()
  })
})

describe('useSubscription', () => {
  test('another topic or other options subscribe anew; null ends it', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    const topic = ref<string | null>('com.example.a')
    const options = ref({})
    const { text } = mount(stage, () => {
      const { status } = useSubscription(topic, (...[[n], , details]) => events.push([details.topic, n]), options)
      return () => status.value
    })
    await until(() => text() === 'active')
    topic.value = 'com.example.b'
    await until(() => stage.client.subscriptions[0]?.uri === 'com.example.b' && text() === 'active')
    await stage.alice.publish('com.example.a', ['silent'])
    await stage.alice.publish('com.example.b', ['heard'])
    await until(() => events.length === 1)
    options.value = { match: 'prefix' }
    await until(() => stage.client.subscriptions[0]?.options.match === 'prefix' && text() === 'active')
    // Equal ones do not.
    options.value = { match: 'prefix' }
    await nextTick()
    topic.value = null
    await until(() => text() === 'idle')
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
    let renders = 0
    let list!: ReturnType<typeof useEvents<string, number>>
    const { text, unmount } = mount(stage, () => {
      const { status } = useSubscription('com.example.t', ([n]) => events.push(n))
      list = useEvents('com.example.t', { limit: 1000, select: ([n]) => n as number })
      return () => {
        renders++
        return `${status.value} ${list.status.value} ${list.latest.value}`
      }
    })
    await until(() => text() === 'active active undefined')
    const before = renders
    for (let n = 0; n < 500; n++) void stage.alice.publish('com.example.t', [n])
    await until(() => text() === 'active active 499')
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    expect(events).toEqual(numbers)
    expect(list.events.value).toEqual(numbers)
    expect(renders - before).toBeLessThan(20)
    list.clear()
    await until(() => text() === 'active active undefined')
    unmount()
    await until(() => isFree(stage))
  })

  test('reports a gap, and a refusal as its error or to errorCaptured', async () => {
    await using stage = await openStage()
    const gaps: Gap[] = []
    const captured: unknown[] = []
    const Refused = silent(() => void useEvents('com..t', { throwOnError: true }))
    const { text } = mount(stage, () => {
      const { status } = useSubscription('com.example.t', () => {}, { onGap: (gap) => gaps.push(gap) })
      const { error } = useSubscription('com..t', () => {})
      onErrorCaptured((thrown) => {
        captured.push(thrown)
        return false
      })
      return () => [status.value, ' ', error.value?.uri, h(Refused)]
    })
    await until(() => text() === 'active wamp.error.invalid_uri')
    await until(() => captured.length === 1)
    expect(captured[0]).toMatchObject({ uri: 'wamp.error.invalid_uri' })
    stage.cut()
    await until(() => gaps.length === 1)
  })

  test('in a scope outside of components it begins at once and ends with the scope', async () => {
    await using stage = await openStage()
    const scope = effectScope()
    const { status } = scope.run(() => useSubscription('com.example.t', () => {}, { client: stage.client }))!
    await until(() => status.value === 'active')
    scope.stop()
    await until(() => isFree(stage))
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toHaveLength(2)
  })

  test('goes on while KeepAlive keeps its component', async () => {
    await using stage = await openStage()
    const events: unknown[] = []
    const shown = ref(true)
    const Kept = silent(() => void useSubscription('com.example.t', ([n]) => events.push(n)))
    const Other = () => 'other'
    const { text, unmount } = mount(stage, () => () => h(KeepAlive, () => h(shown.value ? Kept : Other)))
    await until(() => stage.client.subscriptions[0]?.state === 'active')
    shown.value = false
    await until(() => text() === 'other')
    await stage.alice.publish('com.example.t', [1])
    await until(() => events.length === 1)
    shown.value = true
    await nextTick()
    unmount()
    await until(() => isFree(stage))
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toHaveLength(2)
  })
})

describe('useCall', () => {
  test('calls again for other arguments and cancels the call before', async () => {
    await using stage = await openStage()
    const held = gate<string>()
    await stage.alice.register('com.example.f', ([name]) => (name === 'slow' ? held.opened : `${name}!`))
    const form = reactive({ name: 'slow' })
    const wanted = shallowRef(true)
    let refetch!: () => void
    const { text, unmount } = mount(stage, () => {
      const { data, status, ...rest } = useCall<string>('com.example.f', () => (wanted.value ? [form.name] : null))
      refetch = rest.refetch
      return () => `${status.value} ${data.value}`
    })
    await until(() => stage.held().calls === 1)
    form.name = 'tea'
    await until(() => text() === 'success tea!')
    held.open('too late')
    refetch()
    await until(() => text() === 'pending tea!')
    await until(() => text() === 'success tea!')
    wanted.value = false
    await until(() => text() === 'idle undefined')
    expect(stage.sent(CALL, CANCEL).map(([code, , , args]) => [code, args])).toEqual([
      [CALL, ['slow']],
      [CANCEL, undefined],
      [CALL, ['tea']],
      [CALL, ['tea']],
    ])
    unmount()
    await until(() => isFree(stage))
  })

  test('awaited in Suspense it waits for the answer', async () => {
    await using stage = await openStage()
    const held = gate<string>()
    await stage.alice.register('com.example.f', () => held.opened)
    const Waiting = defineComponent({
      async setup() {
        const { data } = await useCall<string>('com.example.f', [])
        return () => data.value
      },
    })
    const { text, unmount } = mount(
      stage,
      () => () => h(Suspense, null, { default: () => h(Waiting), fallback: () => 'waiting' }),
    )
    await until(() => stage.held().calls === 1)
    expect(text()).toBe('waiting')
    held.open('tea')
    await until(() => text() === 'tea')
    unmount()
    await until(() => isFree(stage))
    expect(stage.sent(CALL)).toHaveLength(1)
  })

  test('awaited, an error rejects only with throwOnError, and a scope that ends leaves no promise open', async () => {
    await using stage = await openStage()
    await stage.alice.register('com.example.endless', () => new Promise(() => {}))
    const { client } = stage
    const scope = effectScope()
    const run = <T>(task: () => T) => scope.run(task) as T
    const handled: unknown[] = []
    const Throwing = defineComponent({
      async setup() {
        await useCall('com.example.none', [], { throwOnError: true })
        return () => null
      },
    })
    const { unmount } = mount(
      stage,
      () => () => h(Suspense, () => h(Throwing)),
      (app) => {
        app.config.errorHandler = (error) => handled.push(error)
      },
    )
    await until(() => handled.length > 0)
    await nextTick()
    expect(handled).toMatchObject([{ uri: 'wamp.error.no_such_procedure' }])
    unmount()
    const gentle = await run(async () => useCall('com.example.none', [], { client }))
    expect(gentle.error.value).toBeInstanceOf(WampError)
    const harsh = run(async () => useCall('com.example.none', [], { client, throwOnError: true }))
    await expect(harsh).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    complaints.length = 0
    const endless = run(async () => useCall('com.example.endless', [], { client }))
    await until(() => stage.held().calls === 1)
    scope.stop()
    expect((await endless).status.value).toBe('pending')
    await until(() => isFree(stage))
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
    const n = ref(2)
    const parts: unknown[] = []
    const { text, unmount } = mount(stage, () => {
      const stream = useStream<number, string>('com.example.count', () => [n.value], { onPart: (it) => parts.push(it) })
      return () => [stream.status.value, stream.parts.value.join(), stream.result.value].join(' ')
    })
    await until(() => text() === 'done 1,2 all')
    n.value = 3
    await until(() => text() === 'active 1,2,3 ')
    unmount()
    await until(() => stage.held().calls === 0)
    held.open()
    expect(parts).toEqual([1, 2, 1, 2, 3])
    expect(stage.sent(CALL, CANCEL).map(([code]) => code)).toEqual([CALL, CALL, CANCEL])
  })
})

test('a call waits for a client that starts late', async () => {
  await using stage = await openStage({ waits: true })
  await stage.alice.register('com.example.f', () => 'tea')
  const { text } = mount(stage, () => {
    const { data, status } = useCall<string>('com.example.f', [])
    return () => `${status.value} ${data.value}`
  })
  await until(() => text() === 'pending undefined')
  await stage.client.start()
  await until(() => text() === 'success tea')
})
