/** The page: registers a passkey, logs in with it and logs out; a reload stays logged in. */

import { passkey, post, registerPasskey } from './passkey.js'

const client = new wampy.RpcClient({
  router: '/ws',
  // People need longer than routers.
  connectTimeout: 300_000,
})
const status = document.querySelector('#status')

client.on('ready', ({ authid, authmethod }) => {
  status.textContent = `Logged in as ${authid} by ${authmethod}`
})
client.on('stopped', (cause) => {
  status.textContent = cause ? cause.message : 'Logged out'
})

const login = async () => {
  client.auth = [passkey()]
  await client.start({ timeout: 0 })
}
const show = (error) => {
  status.textContent = error.message
}

document.querySelector('#register').addEventListener('submit', (event) => {
  event.preventDefault()
  registerPasskey(document.querySelector('#name').value).then(login).catch(show)
})
document.querySelector('#login').addEventListener('click', () => login().catch(show))
document.querySelector('#logout').addEventListener('click', async () => {
  await post('logout')
  await client.logout()
})

// The cookie of an earlier login is enough.
post('session')
  .then(({ user }) => user !== null && login())
  .catch(show)
