/** The attacks: each is the behaviour of one hostile session until its connection is closed or the time is over. */

import { encodedMessage, type HostileWire, type WireFormat } from './wire.ts'

/** An attack on a wire that has been opened for it; `index` is the number of the hostile session, `round` of its connection. */
export interface Attack {
  /** What it does to the connection before it attacks. Default: it joins. */
  readonly before?: 'nothing' | 'handshake'
  run(
    wire: HostileWire,
    more: () => boolean,
    index: number,
    open: () => Promise<HostileWire | undefined>,
  ): Promise<void>
}

const MEGABYTE = 2 ** 20
const filler = (size: number): string => 'x'.repeat(size)

/** A publication of 16 MB that takes as long as possible to check: as many dictionaries as fit or are allowed. */
function manyObjects(format: WireFormat): Buffer {
  if (format === 'json') return Buffer.from(`[16,9,{},"attack.objects",[${Array(5_300_000).fill('{}').join()}]]`)
  const whole = encodedMessage(format, [16, 9, {}, 'attack.objects'])
  const head = Buffer.from(whole)
  head[0] = 0x85
  const items = Buffer.alloc(15_900_000, Buffer.from([0xa0, 0, 0, 0, 0, 0, 0, 0]))
  const list = Buffer.alloc(5)
  list[0] = 0x9a
  list.writeUInt32BE(items.length, 1)
  return Buffer.concat([head, list, items])
}

/** Registers a procedure and answers each call by `answer`. */
function serve(wire: HostileWire, procedure: string, answer: (invocation: number) => void): void {
  wire.heard = ([code, invocation]) => {
    if (code === 68) answer(invocation as number)
  }
  wire.send([64, wire.next(), {}, procedure])
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'refused-calls': {
    async run(wire, more) {
      const name = filler(1_000_000)
      while (more()) {
        const id = wire.next()
        wire.send([48, id, { progress: true }, `${name}${id}`])
        wire.send([48, wire.next(), { progress: true }, `attack.nobody.${filler(3000)}${id}`])
        await wire.drained()
      }
    },
  },
  'pending-calls': {
    async run(wire, more, index) {
      const procedure = `attack.slow.${index}`
      wire.send([64, wire.next(), { invoke: 'roundrobin' }, procedure])
      const objects = Array.from({ length: 60_000 }, () => ({ a: 1 }))
      while (more()) {
        wire.send([48, wire.next(), {}, procedure, [objects]])
        for (let i = 0; i < 100; i++) wire.send([48, wire.next(), {}, procedure, [i]])
        await wire.drained()
      }
    },
  },
  'big-names': {
    async run(wire, more) {
      const long = filler(900_000)
      const kept = filler(4000)
      while (more()) {
        for (const code of [32, 64, 48]) wire.send([code, wire.next(), {}, `${long}${wire.next()}`])
        for (let i = 0; i < 50; i++) wire.send([32, wire.next(), { match: 'prefix' }, `attack.${wire.next()}.${kept}`])
        wire.send([16, wire.next(), { eligible_authid: [long] }, 'attack.names'])
        await wire.drained()
      }
    },
  },
  'big-hellos': {
    before: 'handshake',
    async run(wire) {
      const big = filler(200_000)
      const features = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`feature_${i}`, true]))
      wire.send([
        1,
        'realm1',
        { roles: { caller: { features }, [big]: {} }, authextra: { big, list: [big, big] }, x: big },
      ])
      await wire.drained()
      // Half of them stay.
      await new Promise((resolve) => setTimeout(resolve, 20))
    },
  },
  'half-frames': {
    before: 'handshake',
    async run(wire, more) {
      wire.socket.write(wire.header(15 * MEGABYTE))
      const part = Buffer.alloc(MEGABYTE, 0x20)
      for (let sent = 0; sent < 14 && more(); sent++) {
        wire.socket.write(part)
        await wire.drained()
      }
      while (more()) await wire.drained()
    },
  },
  'half-frames-joined': {
    async run(wire, more) {
      wire.socket.write(wire.header(15 * MEGABYTE))
      const part = Buffer.alloc(MEGABYTE, 0x20)
      for (let sent = 0; sent < 14 && more(); sent++) {
        wire.socket.write(part)
        await wire.drained()
      }
      while (more()) await wire.drained()
    },
  },
  'huge-messages': {
    async run(wire, more) {
      const huge = manyObjects(wire.format)
      while (more()) {
        wire.frame(huge)
        await wire.drained()
      }
    },
  },
  'mass-subscriptions': {
    async run(wire, more, index) {
      for (let i = 0; i < 20_000 && more(); i++) {
        wire.send([32, wire.next(), { match: i % 3 === 0 ? 'prefix' : 'exact' }, `attack.${index}.${i}.a.b.c`])
        if (i % 200 === 0) await wire.drained()
      }
      // Half of them leave, half of them are gone.
      if (index % 2 === 0) wire.send([6, {}, 'wamp.close.close_realm'])
      await wire.drained()
    },
  },
  'silent-sockets': {
    before: 'nothing',
    async run(_, more, __, open) {
      const silent: HostileWire[] = []
      while (more() && silent.length < 100) {
        const another = await open()
        if (another) silent.push(another)
      }
      while (more() && silent.some(({ closed }) => !closed)) await new Promise((resolve) => setTimeout(resolve, 50))
      for (const each of silent) each.end()
    },
  },
  'deaf-callers': {
    async run(wire, more, index, open) {
      const callee = await open()
      if (!callee || !(await callee.joined())) return
      const procedure = `attack.big.${index}`
      const answer = filler(MEGABYTE)
      serve(callee, procedure, (invocation) => callee.send([70, invocation, {}, [answer]]))
      wire.deaf()
      while (more() && !callee.closed) {
        wire.send([48, wire.next(), {}, procedure])
        await wire.drained()
        await callee.drained()
      }
      callee.end()
    },
  },
  'deaf-callees': {
    async run(wire, more, index, open) {
      const caller = await open()
      if (!caller || !(await caller.joined())) return
      const procedure = `attack.deaf.${index}`
      wire.send([64, wire.next(), {}, procedure])
      wire.deaf()
      const big = filler(100_000)
      while (more() && !caller.closed) {
        caller.send([48, caller.next(), {}, procedure, [big]])
        await caller.drained()
      }
      caller.end()
    },
  },
  'deaf-subscribers': {
    async run(wire, more, index, open) {
      const publisher = await open()
      if (!publisher || !(await publisher.joined())) return
      wire.send([32, wire.next(), {}, 'attack.everybody'])
      wire.send([32, wire.next(), {}, `attack.alone.${index}`])
      wire.deaf()
      const big = filler(100_000)
      while (more() && !publisher.closed) {
        publisher.send([16, publisher.next(), {}, 'attack.everybody', [big]])
        publisher.send([16, publisher.next(), {}, `attack.alone.${index}`, [big]])
        for (let i = 0; i < 50; i++) publisher.send([16, publisher.next(), {}, `attack.alone.${index}`])
        await publisher.drained()
      }
      publisher.end()
    },
  },
  'endless-calls': {
    async run(wire, more, index, open) {
      const callee = await open()
      if (!callee || !(await callee.joined())) return
      const procedure = `attack.endless.${index}`
      const data = filler(20_000)
      serve(callee, procedure, (invocation) => callee.send([70, invocation, { progress: true }, [data]]))
      const id = wire.next()
      while (more() && !callee.closed) {
        for (let i = 0; i < 20; i++) wire.send([48, id, { progress: true, receive_progress: true }, procedure, [data]])
        await wire.drained()
        await callee.drained()
      }
      callee.end()
    },
  },
  testaments: {
    async run(wire, more, index) {
      const big = filler(500_000)
      while (more()) {
        wire.send([48, wire.next(), {}, 'wamp.session.add_testament', [`attack.will.${index}`, [big], {}]])
        wire.send([48, wire.next(), {}, 'wamp.session.add_testament', [`attack.will.${index}`, [{ a: {} }], {}]])
        await wire.drained()
      }
    },
  },
  'retained-topics': {
    async run(wire, more, index) {
      const big = filler(500_000)
      while (more()) {
        wire.send([16, wire.next(), { retain: true }, `attack.kept.${index}.${wire.next()}`, [big]])
        for (let i = 0; i < 20; i++)
          wire.send([16, wire.next(), { retain: true }, `attack.kept.${index}.${wire.next()}`])
        await wire.drained()
      }
    },
  },
}
