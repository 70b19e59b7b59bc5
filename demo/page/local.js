/** The page without a server: a router, a service and three clients in one page. */

const page = parts.elements('today', 'asked', 'sessions', 'procedures', 'subscriptions', 'rate', 'answer')
const wire = parts.wire(document.getElementById('wire'))
const badge = parts.badge(document.getElementById('badge'))

// ---- functions that the page prints

class DateService extends wampy.WampClient {
  static rpc = ['getTodaysDate']

  getTodaysDate() {
    return new Date().toLocaleDateString('sv')
  }
}

async function begin() {
  router = new wampy.Router()
  service = new DateService({ router })
  client = new wampy.RpcClient({ router: wire.tap(router) })
  client.on('state', (state) => badge.show(state))
  await service.start()
  page.today.textContent = await client.rpc.getTodaysDate()
}

async function listen(name, hear) {
  const person = new wampy.WampClient({ name, router })
  await person.start()
  await person.subscribe('talk', ([from, text]) => hear(from, text))
  return person
}

async function talk(person, text) {
  // The publisher does not receive its own event unless it asks for it.
  const options = { exclude_me: false }
  await person.publish('talk', [person.name, text], {}, options)
}

async function burst(total, together) {
  const caller = new wampy.RpcClient({ router })
  for (let made = 0; made < total; made += together) {
    const calls = Array.from({ length: together }, () => {
      return caller.rpc.getTodaysDate()
    })
    await Promise.all(calls)
  }
  await caller.stop()
}

async function callService() {
  try {
    say('result', await client.rpc.getTodaysDate())
  } catch (error) {
    say('error', error.uri, error.message)
  }
}

// ---- functions that it does not print

let router
let service
let client

function say(kind, text, more) {
  page.answer.dataset.kind = kind
  page.answer.replaceChildren(parts.span(kind, text), more && more !== text ? parts.span('more', more) : '')
}

function count() {
  const { sessions, registrations, subscriptions } = router.stats()
  page.sessions.textContent = sessions
  page.procedures.textContent = registrations
  page.subscriptions.textContent = subscriptions
}

function press(id, work) {
  document.getElementById(id).addEventListener('click', () => {
    work().then(count, (error) => say('error', error.uri, error.message))
  })
}

async function person(name) {
  const form = document.getElementById(name.toLowerCase())
  const lines = form.querySelector('ol')
  const speaker = await listen(name, (from, text) => {
    const line = document.createElement('li')
    if (from === name) line.className = 'own'
    line.append(parts.span('from', `${from}: `), text)
    lines.append(line)
    while (lines.children.length > 5) lines.firstChild.remove()
  })
  const input = form.querySelector('input')
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const text = input.value.trim()
    if (text) talk(speaker, text)
    input.value = ''
  })
}

async function race() {
  const total = 20_000
  const button = document.getElementById('burst')
  button.setAttribute('aria-disabled', 'true')
  page.rate.dataset.kind = 'none'
  page.rate.textContent = 'calling …'
  const began = performance.now()
  await burst(total, 1000)
  const spent = performance.now() - began
  page.rate.dataset.kind = 'result'
  const rate = parts.span('result', `${parts.grouped(Math.round((total / spent) * 1000))} calls a second`)
  page.rate.replaceChildren(rate, parts.span('more', `${parts.grouped(total)} calls in ${parts.milliseconds(spent)}`))
  button.removeAttribute('aria-disabled')
}

press('call', callService)
press('stop', async () => {
  await service.stop()
  await callService()
})
press('start', async () => {
  await service.start()
  await callService()
})
press('burst', async () => {
  if (!document.getElementById('burst').hasAttribute('aria-disabled')) await race()
})

parts.print({ DateService, begin, listen, talk, burst, callService })

async function main() {
  await begin()
  const weekday = new Date(`${page.today.textContent}T12:00`).toLocaleDateString('en', { weekday: 'long' })
  page.asked.textContent = `a ${weekday}; it did not leave this page`
  await Promise.all([person('Ada'), person('Bob')])
  count()
}

main().catch((error) => {
  page.asked.textContent = `it failed: ${error.message}`
})
