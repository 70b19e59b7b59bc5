/** Secrets of a configuration: written there, in an environment variable, or in a file. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Place, Problem } from './shapes.ts'

export type SecretSource = string | { readonly env?: string | undefined } | { readonly file?: string | undefined }

export interface Sources {
  /** The folder that relative paths start from. */
  readonly folder: string
  report(problem: Problem): void
}

/** The text of a file; undefined, and a problem, if it cannot be read. */
export function readText(path: string, at: Place, { folder, report }: Sources): string | undefined {
  const place = resolve(folder, path)
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`
    report({ at, text: `names ${place}: ${reason}` })
    return undefined
  }
}

/** Undefined, and a problem, for a secret that is not there. */
export function readSecret(source: SecretSource, at: Place, sources: Sources): string | undefined {
  if (typeof source === 'string') return source
  if ('env' in source && source.env !== undefined) {
    const value = process.env[source.env]
    if (!value)
      sources.report({ at: [...at, 'env'], text: `names the environment variable ${source.env}, which is not set` })
    return value
  }
  const { file } = source as { readonly file?: string }
  const text = readText(file ?? '', [...at, 'file'], sources)?.replace(/\r?\n$/, '')
  if (text === '') sources.report({ at: [...at, 'file'], text: 'names an empty file' })
  return text
}
