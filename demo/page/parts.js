/** Parts of all pages: the badge, the chart, the log of the wire, and the printing of code. */

globalThis.parts = (() => {
  const NAMES = Object.entries({
    HELLO: 1,
    WELCOME: 2,
    ABORT: 3,
    GOODBYE: 6,
    ERROR: 8,
    PUBLISH: 16,
    PUBLISHED: 17,
    SUBSCRIBE: 32,
    SUBSCRIBED: 33,
    UNSUBSCRIBE: 34,
    UNSUBSCRIBED: 35,
    EVENT: 36,
    CALL: 48,
    RESULT: 50,
    REGISTER: 64,
    REGISTERED: 65,
    UNREGISTER: 66,
    UNREGISTERED: 67,
    INVOCATION: 68,
    YIELD: 70,
  }).reduce((names, [name, code]) => names.set(code, name), new Map())

  /** The place of a message's payload, or of its most telling element if it has none. */
  const PAYLOAD = { CALL: 4, RESULT: 3, EVENT: 4, PUBLISH: 4, INVOCATION: 4, YIELD: 3, ERROR: 5 }
  const SUBJECT = {
    HELLO: 1,
    WELCOME: 1,
    ABORT: 2,
    GOODBYE: 2,
    ERROR: 4,
    PUBLISH: 3,
    SUBSCRIBE: 3,
    CALL: 3,
    REGISTER: 3,
  }
  /** Messages whose repetitions are counted. */
  const REPEATS = new Set(['CALL', 'RESULT', 'EVENT', 'ERROR', 'PUBLISH', 'INVOCATION', 'YIELD'])

  const span = (kind, text) => {
    const element = document.createElement('span')
    element.className = kind
    element.textContent = text
    return element
  }

  const elements = (...ids) => Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]))

  const milliseconds = (value) => {
    if (value >= 100) return `${grouped(Math.round(value))} ms`
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
  }

  // A thin space without a line break.
  const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f')

  /** Repeats the work while the page is visible, one run at a time. */
  function every(pause, work) {
    const turn = async () => {
      if (document.visibilityState === 'visible') await work()
      setTimeout(turn, pause)
    }
    turn()
  }

  // ---- code

  const TOKEN =
    /(\/\/[^\n]*|<\/?\w+|>)|('[^'\n]*'|"[^"\n]*"|`[^`]*`)|(@\w+|\b(?:const|let|await|async|function|class|extends|static|new|return|try|catch|for|of|if)\b)/g

  function colour(element, code) {
    let end = 0
    element.replaceChildren()
    for (const found of code.matchAll(TOKEN)) {
      const kind = found[1] ? (found[1].startsWith('//') ? 'remark' : 'word') : found[2] ? 'text' : 'word'
      element.append(code.slice(end, found.index), found[1] === '>' ? '>' : span(kind, found[0]))
      end = found.index + found[0].length
    }
    element.append(code.slice(end))
  }

  /** Writes the source of the named functions into their elements. */
  function print(functions) {
    for (const element of document.querySelectorAll('[data-code]')) {
      const names = element.dataset.code.split(' ')
      colour(element, names.map((name) => String(functions[name])).join('\n\n'))
    }
    for (const element of document.querySelectorAll('code.given')) colour(element, element.textContent)
    // Only code that scrolls needs a label and a place in the tab order.
    const sized = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const scrolls = target.scrollWidth > target.clientWidth
        for (const [name, value] of [
          ['tabindex', '0'],
          ['role', 'group'],
          ['aria-label', target.dataset.label],
        ]) {
          if (scrolls) target.setAttribute(name, value)
          else target.removeAttribute(name)
        }
      }
    })
    for (const element of document.querySelectorAll('pre[data-label]')) sized.observe(element)
  }

  // ---- the badge

  function badge(element) {
    const [status, rest] = element.children
    let timer
    let shown = ''
    const show = (state, text = state) => {
      clearInterval(timer)
      rest.textContent = ''
      element.dataset.state = state
      shown = state
      // A screen reader announces every change of a live region, even to the same text.
      if (status.textContent !== text) status.textContent = text
    }
    const retry = (attempt, delay) => {
      show(shown, `${shown}, attempt ${attempt}`)
      const due = performance.now() + delay
      const tick = () => {
        const left = due - performance.now()
        rest.textContent = left > 0 ? `in ${(left / 1000).toFixed(1)} s` : 'now'
      }
      tick()
      timer = setInterval(tick, 100)
    }
    return { show, retry }
  }

  // ---- the chart

  function chart(element) {
    const KEPT = 120
    const KEPT_ON_A_PHONE = 60
    const [LOW, HIGH] = [0.05, 200]
    const WIDTH = 720
    const HEIGHT = 200
    const FLOOR = HEIGHT - 2
    const samples = []
    const counts = { calls: 0, failed: 0 }
    const svg = element.querySelector('svg')
    const figure = (name) => element.querySelector(`[data-figure=${name}]`)
    const path = (name, d) => svg.querySelector(`.${name}`).setAttribute('d', d)
    const y = (ms) => {
      const share = Math.log(Math.min(HIGH, Math.max(LOW, ms)) / LOW) / Math.log(HIGH / LOW)
      return (FLOOR - share * (HEIGHT - 26)).toFixed(1)
    }
    const plot = element.querySelector('.plot')
    for (const ms of [0.1, 1, 10, 100]) {
      const label = span('scale', `${ms} ms`)
      label.style.top = `${(y(ms) / HEIGHT) * 100}%`
      plot.append(label)
    }
    path('grid', [0.1, 1, 10, 100].map((ms) => `M0 ${y(ms)}H${WIDTH}`).join(''))

    function draw() {
      const kept = svg.clientWidth < 480 ? KEPT_ON_A_PHONE : KEPT
      const shown = samples.slice(-kept)
      const step = WIDTH / kept
      const first = kept - shown.length
      let trips = ''
      let misses = ''
      shown.forEach((ms, index) => {
        const x = ((first + index + 0.5) * step).toFixed(1)
        if (ms === undefined) misses += `M${x} 3V17`
        else trips += `M${x} ${FLOOR}V${y(ms)}`
      })
      path('trip', trips)
      path('miss', misses)
      figure('calls').textContent = grouped(counts.calls)
      figure('failed').textContent = grouped(counts.failed)
      const sorted = shown.filter((ms) => ms !== undefined).sort((one, other) => one - other)
      if (!sorted.length) return
      const median = sorted[sorted.length >> 1]
      path('median', `M0 ${y(median)}H${WIDTH}`)
      figure('least').textContent = milliseconds(sorted[0])
      figure('median').textContent = milliseconds(median)
      const text = `${counts.calls} calls, ${counts.failed} failed; least ${milliseconds(sorted[0])}, median ${milliseconds(median)}`
      svg.setAttribute('aria-label', `Round-trip times of the latest calls: ${text}`)
    }

    function push(sample) {
      counts.calls++
      samples.push(sample)
      if (samples.length > KEPT) samples.shift()
      draw()
    }
    return {
      add: (ms) => push(ms),
      miss: () => {
        counts.failed++
        push(undefined)
      },
    }
  }

  /** Sixty strokes; the dark ones are the seconds of the minute so far. */
  function minute(svg) {
    const strokes = (from, to) => {
      let d = ''
      for (let second = from; second < to; second++) {
        d += `M${second * 10 + 5} ${second % 15 === 0 ? 2 : second % 5 === 0 ? 8 : 13}V22`
      }
      return d
    }
    const show = (time) => {
      const seconds = Number(time.slice(6, 8)) + 1
      svg.querySelector('.spent').setAttribute('d', strokes(0, seconds))
      svg.querySelector('.rest').setAttribute('d', strokes(seconds, 60))
    }
    show('00:00:-1')
    return { show }
  }

  // ---- the wire

  function wire(list) {
    const KEPT = 12
    let sockets = []
    /** Rows with a counter, by their text. */
    let open = new Map()

    function row(direction, name, text, kind = '') {
      const element = document.createElement('li')
      if (kind) element.className = kind
      const arrow = span('arrow', direction === 'out' ? '→' : direction === 'in' ? '←' : '·')
      arrow.setAttribute('role', 'img')
      arrow.setAttribute('aria-label', direction === 'out' ? 'sent' : direction === 'in' ? 'received' : 'socket')
      element.append(arrow, span('name', name), span('what', text), span('times', ''))
      list.append(element)
      while (list.children.length > KEPT) list.firstChild.remove()
      return element
    }

    function message(direction, [...items]) {
      const name = NAMES.get(items[0]) ?? `code ${items[0]}`
      const payload = items[PAYLOAD[name]]
      const args = Array.isArray(payload) ? payload : payload?.args
      const subject = String(items[SUBJECT[name]] ?? '')
      const values = args?.length ? args.map((value) => JSON.stringify(value)).join(', ') : ''
      const text = [subject, values].filter(Boolean).join('  ')
      if (!REPEATS.has(name)) {
        open = new Map()
        row(direction, name, text)
        return
      }
      count(`${direction} ${name} ${subject}`, text, () => row(direction, name, text, name === 'ERROR' ? 'bad' : ''))
    }

    function count(key, text, add) {
      const known = open.get(key)
      if (!known?.element.isConnected) {
        open.set(key, { element: add(), count: 1 })
        return
      }
      known.count++
      known.element.querySelector('.what').textContent = text
      known.element.querySelector('.times').textContent = `×${grouped(known.count)}`
    }

    function note(name, text, kind) {
      open = new Map()
      return row('', name, text, kind)
    }

    /** The browser's class with a log of its messages, for the option `webSocket` of a client's router. */
    class Listened extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols)
        this.addEventListener('open', () => {
          sockets.push(this)
          note('open', `${url}  ${this.protocol}`)
        })
        this.addEventListener('message', ({ data }) => message('in', JSON.parse(data)))
        this.addEventListener('close', ({ code, reason }) => {
          const text = [code, reason].filter(Boolean).join(' ')
          if (sockets.includes(this)) note('closed', text, 'bad')
          else count('unanswered', url, () => row('', 'no answer', url, 'bad'))
          sockets = sockets.filter((socket) => socket !== this)
        })
      }

      send(data) {
        message('out', JSON.parse(data))
        super.send(data)
      }
    }

    /** A router in this page whose links are logged. */
    const tap = (router) => ({
      name: router.name,
      realm: router.realm,
      connect: async (serializers, signal) => {
        const link = await router.connect(serializers, signal)
        return {
          backlog: 0,
          local: true,
          open: (sink) =>
            link.open({
              message: (items) => {
                message('in', items)
                sink.message(items)
              },
              failed: (error) => sink.failed(error),
              closed: (info) => sink.closed(info),
            }),
          send: (items) => {
            message('out', items)
            link.send(items)
          },
          close: (code, reason) => link.close(code, reason),
          terminate: () => link.terminate(),
        }
      },
    })

    const drop = () => {
      for (const socket of sockets) socket.close(4000, 'dropped by hand')
    }
    return { WebSocket: Listened, tap, drop }
  }

  return { badge, chart, elements, every, grouped, milliseconds, minute, print, span, wire }
})()
