/** The module of a service, and the class in it that is meant. */

import { statSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClientOptions } from '../client/options.ts'
import type { WampClient } from '../client/wamp-client.ts'
import { Failure, textOf } from './failure.ts'

export type Service = new (options: ClientOptions) => WampClient

export interface Target {
  readonly path: string
  /** Undefined: the one that is there. */
  readonly className: string | undefined
}

/** `./date.mjs:DateService`. The colon of a Windows drive (`C:\date.mjs`) separates nothing. */
export function targetOf(text: string): Target {
  const [, path, className] = /^(..+|[^A-Za-z]):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su.exec(text) ?? []
  return path ? { path, className } : { path: text, className: undefined }
}

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '/index.js']

/** @throws Failure that says which classes there are */
export async function load({ path, className }: Target): Promise<Service> {
  const file = EXTENSIONS.map((extension) => resolve(path + extension)).find(isFile)
  if (!file) {
    throw new Failure(`there is no module ${path} (looked for ${resolve(path)}); expected path/to/module:ClassName`)
  }
  let module: object
  try {
    module = (await import(pathToFileURL(file).href)) as object
  } catch (error) {
    throw new Failure(whyNotLoaded(file, error))
  }
  return choose(exportsOf(module), className, path)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** By name, those of a CommonJS module included, whose names Node does not always see. */
function exportsOf(module: object): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (let at: unknown = module; typeof at === 'object' && at !== null; at = (at as { default?: unknown }).default) {
    for (const [name, value] of Object.entries(at)) if (!found.has(name) || name === 'default') found.set(name, value)
  }
  return found
}

function choose(found: Map<string, unknown>, className: string | undefined, path: string): Service {
  const names = [...found].filter(([name, value]) => name !== 'default' && isService(value)).map(([name]) => name)
  const whole = found.get('default')
  const wanted = className === undefined ? whole : found.get(className)
  if (isService(wanted)) return wanted
  // All that a CommonJS module exports, or a default: it has its name only for itself.
  if (isService(whole) && whole.name === className) return whole
  const alone = new Set(names.map((name) => found.get(name)))
  if (className === undefined && alone.size === 1) return [...alone][0] as Service
  const there = names.map((name) => `${path}:${name}`).join(' or ')
  if (className === undefined && there) throw new Failure(`${path} has several services: say ${there}`)
  const what =
    className !== undefined && found.has(className)
      ? `${className} in ${path} is no class that extends WampClient`
      : `${path} exports no ${className === undefined ? 'class that extends WampClient' : `class ${className}`}`
  throw new Failure(there ? `${what}: say ${there}` : `${what}; export one that does`)
}

const METHODS = ['start', 'stop', 'call', 'publish', 'subscribe', 'register']

// By its methods: a module that requires this package, or has a copy of its own, extends another WampClient.
function isService(value: unknown): value is Service {
  const inherited = typeof value === 'function' && value.prototype && Object.getPrototypeOf(value.prototype)
  return Boolean(inherited) && METHODS.every((name) => typeof inherited[name] === 'function')
}

function whyNotLoaded(file: string, error: unknown): string {
  const shown = short(file)
  const code = (error as { code?: unknown } | null | undefined)?.code
  const text = textOf(error)
  const syntax = error instanceof SyntaxError || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  const typeScript = /\.[mc]?tsx?\b/
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' ? typeScript.test(text) : syntax && typeScript.test(file)) {
    const command = ['node --import tsx', short(process.argv[1] as string), ...process.argv.slice(2).map(quoted)]
    return `${shown} is TypeScript, which needs a loader (npm install tsx; ${command.join(' ')}) or to be compiled first`
  }
  const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  const whole = `${shown} could not be loaded: ${kind}${text}`
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    // What follows the first line is the way there.
    return `${whole.split('\n')[0]} (is it installed, and is the path right?)`
  }
  const place = placeIn((error as Partial<Error> | null | undefined)?.stack)
  if (place) return `${whole} (at ${place})`
  return syntax ? `${whole} (to see where: node ${quoted(shown)})` : whole
}

/** The first place outside of Node and of this file that a stack names. */
function placeIn(stack = ''): string | undefined {
  const places = [...stack.matchAll(/(?:^|[\s(])((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]*?:\d+(?::\d+)?)/g)]
  return places.map(([, place]) => place).find((place) => !place?.startsWith(import.meta.url))
}

/** As a person in this folder would write it. */
function short(path: string): string {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') || isAbsolute(near) ? path : near
}

function quoted(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
