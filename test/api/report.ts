/** API reports: what each entry point of the built package exports, as text that is committed and compared. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { fileOf, namesOf } from '../../entry-points.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The entry points: name of the report, `index` for `wampy-ts` itself, and declarations. */
export const entries = namesOf().map((name) => {
  const file = fileOf(name)
  return { name: file.replaceAll('/', '-'), file: join(root, 'dist', `${file}.d.ts`) }
})

/** The committed report of an entry point. */
export const reportFile = (name: string): string => join(root, 'test/api', `${name}.api.md`)

/** Where an entry point does not export a type that its signatures name. */
const FORGOTTEN = 'ae-forgotten-export'

function configOf(name: string, file: string, folder: string): ExtractorConfig {
  const off = { default: { logLevel: ExtractorLogLevel.None } }
  return ExtractorConfig.prepare({
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: file,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            module: 'esnext',
            moduleResolution: 'bundler',
            lib: ['es2022', 'dom', 'esnext.disposable'],
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: entries.map((entry) => entry.file),
        },
      },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder: folder, reportTempFolder: folder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The prose of doc comments is not part of the API, and tsc has seen the code.
      messages: {
        compilerMessageReporting: off,
        tsdocMessageReporting: off,
        extractorMessageReporting: off,
      },
    },
  })
}

/** The reports as the build in `dist` is now, and for each the types that it names and does not export. */
export function reports(): { name: string; text: string; forgotten: string[] }[] {
  const folder = mkdtempSync(join(tmpdir(), 'wampy-ts-api-'))
  try {
    const configs = entries.map(({ name, file }) => ({ name, config: configOf(name, file, folder) }))
    const [first] = configs
    if (!first) return []
    // One program for all of them: most of the time goes into reading the libraries of TypeScript.
    const compilerState = CompilerState.create(first.config, {
      additionalEntryPoints: entries.map(({ file }) => file),
    })
    const known = new Map<string, string>()
    return configs.map(({ name, config }) => {
      const forgotten: string[] = []
      Extractor.invoke(config, {
        localBuild: true,
        compilerState,
        messageCallback: (message) => {
          if (message.messageId === FORGOTTEN) forgotten.push(/"(.*?)"/.exec(message.text)?.[1] ?? message.text)
          message.handled = true
        },
      })
      return {
        name,
        text: shortened(name, bare(readFileSync(join(folder, `${name}.api.md`), 'utf8')), known),
        forgotten,
      }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Without what depends on comments and on how the build puts its declarations together. */
function bare(text: string): string {
  return text
    .replace(/^ *\/\/ \(undocumented\)\n|^\/\/\/ <reference .*\n\n?/gm, '')
    .replaceAll(' (undocumented)', '')
    .replace(/^import type /gm, 'import ')
}

/** Each declaration stands in the report of the first entry point that exports it; the others list its name. */
function shortened(name: string, text: string, known: Map<string, string>): string {
  const again = new Map<string, string[]>()
  const kept = text.split(/\n(?=\/\/ @public)/).filter((block, place) => {
    if (place === 0) return true
    const [declaration] = block.split('\n\n// (No @packageDocumentation')
    const first = known.get(declaration as string)
    if (first === undefined) known.set(declaration as string, name)
    const exported = /^export (?:declare )?(?:abstract )?\w+ (\w+)/m.exec(block)?.[1]
    // The last block carries the end of the report.
    if (first === undefined || exported === undefined || declaration !== block) return true
    again.set(first, [...(again.get(first) ?? []), exported])
    return false
  })
  const lists = [...again].map(
    ([first, names]) => `Also exported, as in ${first}.api.md:\n\n${names.map((it) => `- ${it}\n`).join('')}`,
  )
  return [kept.join('\n'), ...lists].join('\n')
}
