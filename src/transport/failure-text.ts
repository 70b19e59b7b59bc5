/** Text from an error of the platform about a connection. */

/** Returns the message of an error, or the messages of the errors it consists of. */
export function failureText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return error === undefined ? '' : String(error)
  const { message, code, errors } = error as { message?: string; code?: string; errors?: unknown[] }
  // Node tries every address of a host name and collects the errors in one that has no message.
  return (message || errors?.map(failureText).join(', ') || code || '').trim()
}
