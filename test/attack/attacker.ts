/** A process of hostile sessions: `attacker.ts ATTACK SESSIONS TRANSPORT FORMAT PORT SECONDS`. It exits when the time is over. */

import { setPriority } from 'node:os'
import { ATTACKS, type Attack } from './attacks.ts'
import { HostileWire, type WireFormat, type WireTransport } from './wire.ts'

// Real attackers do not take the processor from the router and its honest peers.
setPriority(19)

const [name = '', sessions, transport, format, port, seconds] = process.argv.slice(2)
const attack = ATTACKS[name] as Attack
const end = Date.now() + Number(seconds) * 1000

const open = async (): Promise<HostileWire | undefined> =>
  new HostileWire(Number(port), transport as WireTransport, format as WireFormat)

async function hostile(index: number): Promise<void> {
  while (Date.now() < end) {
    const wire = await open()
    if (wire && (await prepared(wire))) {
      await attack.run(wire, () => !wire.closed && Date.now() < end, index, open)
    }
    if (name !== 'big-hellos' || index % 2 === 0) wire?.end()
    // A refused or ended session comes back, but not in a busy loop.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function prepared(wire: HostileWire): Promise<boolean> {
  if (attack.before === 'nothing') return true
  return attack.before === 'handshake' ? wire.shaken() : wire.joined()
}

await Promise.all(Array.from({ length: Number(sessions) }, (_, index) => hostile(index)))
process.exit(0)
