/** A thread of Node that dials through the given port, joins with raw messages, and then follows instructions. */
import { parentPort, workerData } from 'node:worker_threads'

const { port } = workerData
const { port1, port2 } = new MessageChannel()
port1.onmessage = ({ data }) => parentPort.postMessage(data)
port.postMessage({ wampy: 'dial', port: port2, protocols: ['wamp.2.json'], lock: undefined }, [port2])
parentPort.on('message', (packet) => {
  if (packet === 'die') process.exit(0)
  port1.postMessage(packet)
})
