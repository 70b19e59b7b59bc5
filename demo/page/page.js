/** The page with a server: a client of the router in Node, and one function for each part of the page. */

const page = parts.elements(
  'today',
  'asked',
  'clock',
  'minute',
  'trips',
  'answer',
  'state',
  'session',
  'realm',
  'cause',
)
const wire = parts.wire(document.getElementById('wire'))
const badge = parts.badge(document.getElementById('badge'))
const chart = parts.chart(page.trips)
const minute = parts.minute(page.minute)

// ---- functions that the page prints

function connect() {
  const scheme = location.protocol.replace('http', 'ws')
  const url = `${scheme}//${location.host}/ws`
  const router = new wampy.WampRouter({ url, webSocket: wire.WebSocket })
  return new wampy.RpcClient({ router, reconnect: { max: 4000 } })
}

async function showDate() {
  page.today.textContent = await client.rpc.getTodaysDate()
}

function followClock() {
  return client.subscribe('demo.clock.tick', ([time]) => {
    page.clock.textContent = time
    minute.show(time)
  })
}

async function measure() {
  const began = performance.now()
  try {
    await client.rpc.getTodaysDate()
    chart.add(performance.now() - began)
  } catch {
    chart.miss()
  }
}

async function callService() {
  try {
    say('result', await client.rpc.getTodaysDate())
  } catch (error) {
    say('error', error.uri, error.message)
  }
}

async function stopService() {
  await client.rpc.demo.service.stop()
}

function followConnection() {
  client.on('state', (state) => badge.show(state))
  client.on('retry', ({ attempt, delay }) => {
    badge.retry(attempt, delay)
  })
  client.on('lost', (cause) => {
    page.cause.textContent = cause.message
  })
}

// ---- functions that it does not print

const client = connect()

async function startService() {
  await client.rpc.demo.service.start()
}

function say(kind, text, more) {
  page.answer.dataset.kind = kind
  page.answer.replaceChildren(parts.span(kind, text), more && more !== text ? parts.span('more', more) : '')
}

/** Shows the date at the top, with the duration of the call; after an error the date is marked as old. */
async function refresh() {
  const began = performance.now()
  try {
    await showDate()
    page.today.classList.remove('old')
    const weekday = new Date(`${page.today.textContent}T12:00`).toLocaleDateString('en', { weekday: 'long' })
    page.asked.textContent = `a ${weekday}; asked and answered in ${parts.milliseconds(performance.now() - began)}`
  } catch (error) {
    page.today.classList.add('old')
    page.asked.textContent = `the last answer; now there is none: ${error.message}`
  }
}

/** Runs the work of a button; shows an error in the place of the service's answers. */
function press(id, work) {
  document.getElementById(id).addEventListener('click', () => {
    work().catch((error) => say('error', error.uri, error.message))
  })
}

press('call', callService)
press('stop', stopService)
press('start', startService)
press('drop', async () => wire.drop())

client.on('state', (state) => {
  page.state.textContent = state
  if (state !== 'ready') page.session.textContent = 'none'
})
client.on('ready', (session) => {
  page.session.textContent = session.id
  page.realm.textContent = session.realm
  refresh()
})

followConnection()
followClock()
// Another tab may stop the service too.
client.subscribe('demo.service.state', () => {
  callService()
  refresh()
})
// Without a limit: the page may be opened before its server is back.
client.start({ timeout: 0 })
parts.print({ connect, showDate, followClock, measure, callService, stopService, followConnection })
parts.every(333, measure)
