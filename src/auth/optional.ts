/** Packages that some methods need in some environments. */

import { usage } from '../protocol/error.ts'

/** The error of an optional peer dependency that cannot be loaded. */
export function missing(name: string, purpose: string, error: unknown): Error {
  const cure = `npm install ${name}, or name it in the import map of a page without a bundler`
  return usage(`${purpose} needs the package ${name}: ${cure} (${(error as Error).message})`)
}
