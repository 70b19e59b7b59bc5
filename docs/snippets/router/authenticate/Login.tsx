import { useActionState, useEffect, useState, useSyncExternalStore } from 'react'
import { scram } from 'wampy-ts/auth'
import { client, login } from './login'

function onState(changed: () => void) {
  client.on('state', changed)
  return () => void client.off('state', changed)
}

export function Login() {
  const state = useSyncExternalStore(
    onState,
    () => client.state,
    () => 'stopped',
  )
  const [asked, setAsked] = useState(false)
  useEffect(() => {
    login().then(() => setAsked(true)) // the router may remember an earlier login
  }, [])
  const [refusal, submit] = useActionState(
    (_: string, form: FormData) =>
      login(scram(String(form.get('name')), String(form.get('password')))),
    '',
  )
  if (state === 'ready') {
    return (
      <p>
        Logged in as {client.session.authid}{' '}
        <button onClick={() => client.logout()}>Log out</button>
      </p>
    )
  }
  if (state !== 'stopped' || !asked) return <p>Logging in...</p>
  return (
    <form action={submit}>
      <input name="name" placeholder="Name" autoComplete="username" required />
      <input
        name="password"
        type="password"
        placeholder="Password"
        autoComplete="current-password"
        required
      />
      <button>Log in</button>
      <p>{refusal || 'Logged out'}</p>
    </form>
  )
}
