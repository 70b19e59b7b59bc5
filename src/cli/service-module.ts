/** Loads the module of a service and finds the service class in it. */

import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClientOptions } from '../client/options.ts'
import type { WampClient } from '../client/wamp-client.ts'
import { Failure, messageOf } from './failure.ts'

export type Service = new (options: ClientOptions) => WampClient

/** A module and, optionally, a class in it. */
export interface ServiceReference {
  readonly path: string
  /** Undefined: the only service of the module. */
  readonly className: string | undefined
}

/** Parses `./date.mjs:DateService`. The colon of a Windows drive (`C:\date.mjs`) is part of the path. */
export function serviceReference(text: string): ServiceReference {
  const [, path, className] = /^(..+|[^A-Za-z]):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su.exec(text) ?? []
  return path ? { path, className } : { path: text, className: undefined }
}

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '/index.js']

/** @throws Failure if there is none */
export function serviceFile({ path }: ServiceReference): string {
  const file = EXTENSIONS.map((extension) => resolve(path + extension)).find(isFile)
  if (file) return file
  throw new Failure(`there is no module ${path} (looked for ${resolve(path)}); expected path/to/module:ClassName`)
}

/** @throws Failure that lists the services of the module */
export async function loadService(reference: ServiceReference): Promise<Service> {
  const { path, className } = reference
  const file = serviceFile(reference)
  let module: object
  try {
    module = (await import(pathToFileURL(file).href)) as object
  } catch (error) {
    throw new Failure(whyNotLoaded(file, error))
  }
  return chooseService(exportsOf(module), className, path)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Returns the exports by name, including those of a CommonJS module that Node cannot detect. */
function exportsOf(module: object): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (let at: unknown = module; typeof at === 'object' && at !== null; at = (at as { default?: unknown }).default) {
    for (const [name, value] of Object.entries(at)) if (!found.has(name) || name === 'default') found.set(name, value)
  }
  return found
}

function chooseService(found: Map<string, unknown>, className: string | undefined, path: string): Service {
  const names = [...found].filter(([name, value]) => name !== 'default' && isService(value)).map(([name]) => name)
  const byDefault = found.get('default')
  const wanted = className === undefined ? byDefault : found.get(className)
  if (isService(wanted)) return wanted
  // A default export, or the whole of a CommonJS module: only the class itself knows its name.
  if (isService(byDefault) && byDefault.name === className) return byDefault
  const services = new Set(names.map((name) => found.get(name)))
  if (className === undefined && services.size === 1) return [...services][0] as Service
  const choices = names.map((name) => `${path}:${name}`).join(' or ')
  if (className === undefined && choices) throw new Failure(`${path} has several services: name ${choices}`)
  const problem =
    className !== undefined && found.has(className)
      ? `${className} in ${path} does not extend WampClient`
      : `${path} exports no ${className === undefined ? 'class that extends WampClient' : `class ${className}`}`
  throw new Failure(choices ? `${problem}: name ${choices}` : `${problem}; export a class that does`)
}

const CLIENT_METHODS = ['start', 'stop', 'call', 'publish', 'subscribe', 'register']

// Checks the methods: a module that requires this package, or has a copy of its own, extends another WampClient.
function isService(value: unknown): value is Service {
  const inherited = typeof value === 'function' && value.prototype && Object.getPrototypeOf(value.prototype)
  return Boolean(inherited) && CLIENT_METHODS.every((name) => typeof inherited[name] === 'function')
}

function whyNotLoaded(file: string, error: unknown): string {
  const shownFile = shortPath(file)
  const code = (error as { code?: unknown } | null | undefined)?.code
  const text = messageOf(error)
  const syntax = error instanceof SyntaxError || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  const typeScript = /\.[mc]?tsx?\b/
  // No Node parses decorators.
  const instead = syntax && hasDecorators(file) ? "; or write static rpc = ['methodName'] in place of @rpc" : ''
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' ? typeScript.test(text) : syntax && typeScript.test(file)) {
    const command = [
      'node --import tsx',
      shortPath(process.argv[1] as string),
      ...process.argv.slice(2).map(quoteForShell),
    ]
    return `${shownFile} is TypeScript, which needs a loader (npm install tsx; ${command.join(' ')}) or to be compiled first${instead}`
  }
  const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  const problem = `${shownFile} could not be loaded: ${kind}${text}`
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    // The other lines are the chain of modules that required it.
    return `${problem.split('\n')[0]} (is it installed, and is the path right?)`
  }
  const place = firstPlace((error as Partial<Error> | null | undefined)?.stack)
  if (place) return `${problem} (at ${place})${instead}`
  return syntax ? `${problem} (to see where: node ${quoteForShell(shownFile)})${instead}` : problem
}

function hasDecorators(file: string): boolean {
  try {
    return /^\s*@(rpc|subscribe)\b/m.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}

/** Returns the first place in a stack that is outside of Node and of this file. */
function firstPlace(stack = ''): string | undefined {
  const places = [...stack.matchAll(/(?:^|[\s(])((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]*?:\d+(?::\d+)?)/g)]
  return places.map(([, place]) => place).find((place) => !place?.startsWith(import.meta.url))
}

/** A path relative to the current folder, if it is below it. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') || isAbsolute(near) ? path : near
}

function quoteForShell(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
