/**
 * `frozen.ts CLASS STEP URL`: terminates a connection to a peer that is frozen, by the WebSocket of `ws` or of Node: when it
 * is open, or while it opens and a line arrives. Prints after how many milliseconds the process ends by itself.
 */

import { webSocketDial } from 'wampy-ts'
import { WebSocket as Packaged } from 'ws'

const [, , name, step, url = ''] = process.argv
const dial = webSocketDial({ webSocket: name === 'ws' ? Packaged : globalThis.WebSocket })
const controller = new AbortController()
const dialed = dial(url, ['wamp.2.json'], controller.signal)
let began = 0
process.on('exit', () => console.log(`ended after ${Math.round(performance.now() - began)} ms`))
if (step === 'open') {
  const transport = await dialed
  transport.send('[6,{},"wamp.close.close_realm"]')
  transport.close()
  began = performance.now()
  transport.terminate()
} else {
  dialed.catch(() => {})
  process.stdin.once('data', () => {
    process.stdin.destroy()
    began = performance.now()
    controller.abort()
  })
}
