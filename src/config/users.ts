/** The users of a configuration as tables of principals, whose content a reload replaces. */

import { resolve } from 'node:path'
import type { PrincipalTable } from '../auth/principals.ts'
import { principalsFile } from '../node/principals-file.ts'
import { formatValue } from '../protocol/validate.ts'
import { problemsError } from './config-problems.ts'
import { readSecret, type SecretSource, type Sources } from './secrets.ts'
import { byName, type Place, type Problem, type Shape } from './shapes.ts'

type Principal = Readonly<Record<string, unknown>>
type Table = Readonly<Record<string, Principal>>

/** A table that a reload replaces. */
export interface Users extends PrincipalTable<Principal> {
  replace(by: Users): void
}

interface UsersContext extends Sources {
  /** The key of a user that is a secret. */
  readonly secret: string | undefined
  /** The roles that the realm lists; undefined if it lists none. */
  readonly roles: readonly string[] | undefined
}

/** The users themselves, or the path of a file with them, which is read again when it changes. Undefined after a problem. */
export function usersFrom(given: Table | string, shape: Shape, at: Place, context: UsersContext): Users | undefined {
  if (typeof given !== 'string') {
    const table = resolved(given, at, context)
    return usersTable(() => table)
  }
  const path = resolve(context.folder, given)
  let file: PrincipalTable<Principal>
  try {
    file = principalsFile(path)
  } catch (error) {
    context.report({ at, text: `cannot be used: ${(error as Error).message}` })
    return undefined
  }
  const checked = (content: Table): { table: Table; problems: readonly Problem[] } => {
    const problems: Problem[] = []
    const report = (problem: Problem): number => problems.push(problem)
    byName('name', shape).check(content, [path], report)
    return { table: problems.length > 0 ? {} : resolved(content, [path], { ...context, report }), problems }
  }
  let content = file.table()
  const first = checked(content)
  for (const problem of first.problems) context.report(problem)
  let { table } = first
  return usersTable(() => {
    const now = file.table()
    if (now === content) return table
    content = now
    const next = checked(now)
    if (next.problems.length === 0) table = next.table
    else console.warn(problemsError(next.problems).message)
    return table
  })
}

function usersTable(read: () => Table): Users {
  let current = read
  const table = (): Table => current()
  const find = (name: string): Principal | undefined => {
    const all = table()
    return Object.hasOwn(all, name) ? all[name] : undefined
  }
  return Object.assign(find, {
    table,
    replace: (by: Users) => {
      current = by.table
    },
  })
}

/** The users with their secrets, each checked for its role. */
function resolved(users: Table, at: Place, context: UsersContext): Table {
  const { secret, roles, report } = context
  return Object.fromEntries(
    Object.entries(users).map(([name, user]) => {
      const place = [...at, name]
      const { role = 'user' } = user as { role?: string }
      if (roles && !roles.includes(role)) report(unknownRole(role, [...place, 'role'], roles))
      if (secret === undefined) return [name, user]
      return [name, { ...user, [secret]: readSecret(user[secret] as SecretSource, [...place, secret], context) }]
    }),
  )
}

export function unknownRole(role: string, at: Place, roles: readonly string[]): Problem {
  return { at, text: `is ${formatValue(role)}, which is not one of the realm's roles: ${roles.join(', ')}` }
}
