/** What an error of the platform says about a connection. */

/** Its text, or that of what it consists of. */
export function failureText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return error === undefined ? '' : String(error)
  const { message, code, errors } = error as { message?: string; code?: string; errors?: unknown[] }
  // Node tries every address of a name, and puts the text of each attempt into an error without a text.
  return (message || errors?.map(failureText).join(', ') || code || '').trim()
}
