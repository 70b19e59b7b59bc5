/** Reads a configuration file, JSON with comments or YAML, and finds the lines of its mistakes. */

import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { problemText } from '../config/config-problems.ts'
import type { RouterConfig } from '../config/keys.ts'
import { checkConfig } from '../config/router-from-config.ts'
import type { Place, Problem } from '../config/shapes.ts'
import { Failure, FileFailure, messageOf } from './failure.ts'

export interface ConfigFile {
  readonly config: RouterConfig
  /** The folder that its relative paths start from. */
  readonly folder: string
}

/**
 * Reads and checks a configuration file.
 *
 * @throws Failure with a line for each mistake: `router.json:12:15: listeners[0].port must be ...`
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`the configuration cannot be read: ${messageOf(error)}`)
  }
  const lines = new LineCounter()
  const isYaml = /\.ya?ml$/i.test(path)
  // JSON is YAML, but for its comments.
  const document = parseDocument(isYaml ? text : withoutComments(text), { lineCounter: lines, prettyErrors: false })
  const where = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const [wrong] = document.errors
  if (wrong) throw new FileFailure([`${where(wrong.pos[0])}: not valid ${isYaml ? 'YAML' : 'JSON'}: ${wrong.message}`])
  const config: unknown = document.toJS()
  const folder = resolve(dirname(path))
  const problems = checkConfig(config, { folder })
  if (problems.length > 0) {
    const placed = (problem: Problem): string => `${where(offsetOf(problem.at))}: ${problemText(problem)}`
    throw new FileFailure(problems.map(placed))
  }
  return { config: config as RouterConfig, folder }

  /** The offset of a value, or of the nearest one around it. */
  function offsetOf(at: Place): number {
    for (let length = at.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(at.slice(0, length), true)
      if (isNode(node) && node.range) return node.range[0]
    }
    return 0
  }
}

/** Puts blanks in the place of comments, tabs and trailing commas, so that every other character keeps its place. */
function withoutComments(text: string): string {
  const parts =
    /("(?:[^"\\\n]|\\.)*"?)|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\t|,(?=\s*(?:(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)\s*)*[\]}])/g
  return text.replace(parts, (part, string?: string) => string ?? part.replace(/[^\n]/g, ' '))
}
