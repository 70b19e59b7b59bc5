/** `wampy-ts completion`: a script that completes command lines in a shell, and the words that it asks for at each Tab. */

import { commandNames, isCommand, loadCommand } from './commands.ts'
import { readContexts } from './contexts.ts'
import { type CommandOption, type CommandOptions, defineCommand } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { printLine } from './output.ts'

// Each asks the command itself, so that a new version of it needs no new script.
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_wampy_ts() {
  local IFS=$'\\n'
  COMPREPLY=($(wampy-ts completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _wampy_ts wampy-ts
`,
  zsh: `#compdef wampy-ts
_wampy_ts() {
  local -a found
  found=(\${(f)"$(wampy-ts completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
compdef _wampy_ts wampy-ts
`,
  fish: `function _wampy_ts
  set -l found (wampy-ts completion words -- (commandline -opc)[2..-1] "$(commandline -ct)" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c wampy-ts -f -a '(_wampy_ts)'
`,
}

const SHELLS = Object.keys(SCRIPTS)

export const completionCommand = defineCommand({
  name: 'completion',
  summary: 'Prints a script with which a shell completes commands, options and their values.',
  usage: `<${SHELLS.join('|')}> [options]`,
  required: ['shell'],
  rest: 'word',
  choices: SHELLS,
  options: {},
  json: false,
  notes: `The script asks "wampy-ts completion words -- <word> ..." at each Tab, which prints what the last word may become. Names of contexts
are completed too, and files where nothing else fits.`,
  examples: [
    'wampy-ts completion bash >> ~/.bashrc',
    'wampy-ts completion zsh > ~/.zfunc/_wampy-ts',
    'wampy-ts completion fish > ~/.config/fish/completions/wampy-ts.fish',
  ],
  async run(_, [shell = '', ...words]) {
    if (shell === 'words') {
      for (const word of await completionsOf(words)) printLine(word)
      return
    }
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
    if (script === undefined) throw usageFailure(`the shell must be ${SHELLS.join(', ')}, got "${shell}"`)
    if (words.length) throw usageFailure(`"${words[0]}" is one argument too many`)
    process.stdout.write(script)
  },
})

/** What the last of the words may become. */
async function completionsOf(words: readonly string[]): Promise<string[]> {
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(words.at(-1) ?? '') ?? []
  if (flag !== undefined && value !== undefined) {
    const values = await completionsOf([...words.slice(0, -1), flag, value])
    return values.map((each) => `${flag}=${each}`)
  }
  // bash makes three words of `--match=prefix`, and completes the last.
  const parts = words.flatMap((word, place) => {
    if (word !== '=' || !words[place - 1]?.startsWith('--')) return [word]
    return place === words.length - 1 ? [''] : []
  })
  const typed = parts.at(-1) ?? ''
  const [name, ...before] = parts.slice(0, -1)
  return (await candidates(name, before, typed)).filter((each) => each.startsWith(typed))
}

async function candidates(name: string | undefined, before: readonly string[], typed: string): Promise<string[]> {
  if (name === undefined) return typed.startsWith('-') ? ['--help', '--version'] : [...commandNames, 'help']
  if (name === 'help') return before.length ? [] : [...commandNames]
  if (!isCommand(name) || before.includes('--')) return []
  const { options, choices } = await loadCommand(name)
  const flag = optionNamed(options, before.at(-1))
  if (flag?.type === 'string') return choicesOf(flag)
  if (typed.startsWith('-')) return Object.keys(options).map((each) => `--${each}`)
  const operands = before.filter((word, place) => !word.startsWith('-') && !takesValue(options, before[place - 1]))
  if (operands.length === 0) return [...choices]
  const [action] = operands
  const names = name === 'context' && operands.length === 1 && ['show', 'use', 'remove'].includes(action as string)
  return names ? contextNames() : []
}

function optionNamed(options: CommandOptions, word: string | undefined): CommandOption | undefined {
  const name = word?.startsWith('--') ? word.slice('--'.length) : ''
  return Object.hasOwn(options, name) ? options[name] : undefined
}

const takesValue = (options: CommandOptions, word: string | undefined): boolean =>
  optionNamed(options, word)?.type === 'string'

const choicesOf = ({ choices = [] }: CommandOption): string[] => [
  ...(typeof choices === 'function' ? choices() : choices),
]

const contextNames = (): string[] => [...readContexts().contexts.keys()]
