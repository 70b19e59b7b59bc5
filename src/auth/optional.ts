/** Packages that some methods need in some environments. */

import { usage } from '../protocol/error.ts'

/** Loads an optional peer dependency; the error for a missing one says how to install it. */
export async function optional<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw usage(`${purpose} needs the package ${name} here: npm install ${name} (${(error as Error).message})`)
  }
}
