/** The client's half of the method `passkey`: the ceremony with the browser, over HTTP, which ends in a cookie. */

/** Sends a POST to the server. An error with `retry` makes the client try again: the server may just be restarting. */
export async function post(action, body = {}) {
  const response = await fetch(`/passkey/${action}`, { method: 'POST', body: JSON.stringify(body) }).catch((error) => {
    throw Object.assign(error, { retry: true })
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

/** Makes a passkey for a new user, who is then logged in. */
export async function registerPasskey(name) {
  const { challenge, rpId } = await post('challenge')
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON({
    challenge,
    rp: { id: rpId, name: 'wampy-ts' },
    // Any bytes that are not those of another user.
    user: { id: challenge, name, displayName: name },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  const credential = await navigator.credentials.create({ publicKey })
  await post('register', { name, credential: credential.toJSON() })
}

/** Logs in by a passkey that the user chooses. */
async function loginByPasskey(signal) {
  const { challenge, rpId } = await post('challenge')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ challenge, rpId, userVerification: 'required' })
  const credential = await navigator.credentials.get({ publicKey, signal })
  await post('login', credential.toJSON())
}

/** For the option `auth` of a client. The browser sends the cookie when it opens the WebSocket, which follows `begin`. */
export function passkey() {
  return wampy.clientAuth({
    method: 'passkey',
    async begin({ signal }) {
      // Also called for each attempt after a loss: asks the user only if the server has forgotten the cookie.
      const { user } = await post('session')
      if (user === null) await loginByPasskey(signal)
      return {}
    },
  })
}
