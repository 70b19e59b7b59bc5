/** The subcommands by name. */

import type { Command } from './define-command.ts'

// Loaded on demand: the modules of a router would double the start-up time of a call.
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  router: async () => (await import('./router.ts')).routerCommand,
  run: async () => (await import('./run.ts')).runCommand,
  call: async () => (await import('./call.ts')).callCommand,
  publish: async () => (await import('./publish.ts')).publishCommand,
  register: async () => (await import('./register.ts')).registerCommand,
  subscribe: async () => (await import('./subscribe.ts')).subscribeCommand,
  list: async () => (await import('./list.ts')).listCommand,
  describe: async () => (await import('./describe.ts')).describeCommand,
  context: async () => (await import('./context.ts')).contextCommand,
  sessions: async () => (await import('./sessions.ts')).sessionsCommand,
  kill: async () => (await import('./kill.ts')).killCommand,
  events: async () => (await import('./meta-events.ts')).eventsCommand,
  top: async () => (await import('./top.ts')).topCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
  record: async () => (await import('./record.ts')).recordCommand,
  replay: async () => (await import('./replay.ts')).replayCommand,
  repl: async () => (await import('./repl.ts')).replCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  convert: async () => (await import('./convert.ts')).convertCommand,
  keygen: async () => (await import('./keygen.ts')).keygenCommand,
  secret: async () => (await import('./secret.ts')).secretCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
}

export const commandNames = Object.keys(commands)

export function isCommand(name: string | undefined): name is string {
  return name !== undefined && commandNames.includes(name)
}

export function loadCommand(name: string): Promise<Command> {
  return (commands[name] as () => Promise<Command>)()
}
